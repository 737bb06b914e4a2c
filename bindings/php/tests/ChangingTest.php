<?php

declare(strict_types=1);

namespace Wal\Tests;

use FFI\CData;
use Wal\AtCapacity;
use Wal\Check;
use Wal\Collector;
use Wal\Exception\InvalidException;
use Wal\Exception\LockedException;
use Wal\Exception\NotFoundException;
use Wal\Exception\WalException;
use Wal\Failure;
use Wal\Io;
use Wal\Level;
use Wal\Library;
use Wal\Log;
use Wal\Options;
use Wal\ReadMode;
use Wal\RecoveryCase;

final class ChangingTest extends LogCase
{
    public function testOpeningTellsWhatItFound(): void
    {
        $log = Log::open($this->path);
        self::assertSame(RecoveryCase::Created, $log->recovery->case);
        $log->append('a');
        $log->close();
        $log = Log::open($this->path);
        self::assertSame(RecoveryCase::Clean, $log->recovery->case);
        self::assertSame([1, 1, null], [
            $log->recovery->firstLsn, $log->recovery->lastLsn, $log->recovery->cutSegment,
        ]);
        self::assertNotSame('', $log->recovery->message);
        self::assertSame($this->path, $log->path);
        self::assertMatchesRegularExpression('/^[0-9a-f]{32}$/', $log->uuid());
    }

    public function testATornTailIsCutAndTold(): void
    {
        $log = Log::open($this->path);
        $log->append('whole');
        $end = $log->segments()[0]->end;
        mkdir("{$this->path}-killed");
        foreach (glob("{$this->path}/*") as $file) {
            copy($file, "{$this->path}-killed/" . basename($file));
        }
        $file = fopen(glob("{$this->path}-killed/*.wal")[0], 'r+');
        fseek($file, $end);
        fwrite($file, str_repeat('torn', 20));
        fclose($file);
        $found = Log::open("{$this->path}-killed");
        self::assertSame(RecoveryCase::TornTail, $found->recovery->case);
        self::assertSame([1, $end], [$found->recovery->cutSegment, $found->recovery->cutOffset]);
        self::assertSame([1 => 'whole'], self::all($found));
    }

    public function testAListThatWouldNotBeWholeIsRefused(): void
    {
        $values = static function (CData $collect) use (&$count): void {
            for ($told = 0; $told < $count; $told++) {
                $collect(null, 0, null, 0, null);
            }
        };
        $count = 10_000;
        self::assertCount($count, Collector::run('wal_value_fn', $values));
        $count = 10_001;
        $refused = self::assertThrows(
            \OverflowException::class,
            static fn (): array => Collector::run('wal_value_fn', $values),
        );
        self::assertStringContainsString('10001 items', $refused->getMessage());
        $repair = static function (CData $collect): void {
            for ($told = 0; $told < 10_001; $told++) {
                $collect(2, 'records', $told, $told, null);
            }
            $collect(3, 'the copies', 0, 0, null);
        };
        $lines = Collector::run('wal_repair_fn', $repair);
        self::assertCount(10_001, $lines, 'a report counts what it leaves out');
        self::assertSame('the copies', $lines[10_000][1]);
    }

    public function testRecordsAreDroppedAtBothEnds(): void
    {
        $log = Log::open($this->path);
        $log->appendBatch(['a', 'b', 'c', 'd']);
        self::assertSame(2, $log->trim(2));
        $log->truncate(3);
        self::assertSame([2 => 'b', 3 => 'c'], self::all($log));
        $log->resetTo(100);
        self::assertSame([], self::all($log));
        self::assertSame(100, $log->append('e'));
        self::assertNull($log->trim(101));
    }

    public function testValuesSurviveAndChangeTogether(): void
    {
        $log = Log::open($this->path);
        $values = $log->values();
        $values->set('offset', '7');
        $values->set("\0", str_repeat("\xff", 4096));
        $values->update(['12' => 'number', 'gone' => null, 'empty' => '', 'offset' => '8']);
        self::assertTrue($values->delete("\0"));
        self::assertFalse($values->delete("\0"));
        self::assertThrows(
            InvalidException::class,
            fn () => $values->update(['ok' => 'x', '' => 'y']),
        );
        self::assertThrows(
            InvalidException::class,
            fn () => $values->set(str_repeat('k', 256), ''),
        );
        self::assertThrows(\TypeError::class, fn () => $values->update(['k' => 5]));
        $values->update([]);
        $log->close();
        $values = Log::open($this->path)->values();
        $found = [];
        foreach ($values as $key => $value) {
            self::assertIsString($key);
            $found[] = [$key, $value];
        }
        self::assertSame([['12', 'number'], ['empty', ''], ['offset', '8']], $found);
        self::assertSame(['8', '', null], array_map($values->get(...), ['offset', 'empty', 'ok']));
        self::assertCount(3, $values);
    }

    public function testALogTellsAboutItself(): void
    {
        $log = Log::open($this->path, new Options(segmentBytes: 65536, level: Level::Os));
        for ($batches = 0; $batches < 4; $batches++) {
            $log->appendBatch(array_fill(0, 25, str_repeat('x', 2000)));
        }
        $stats = $log->stats();
        self::assertSame([Level::Os, 1, 100, 100, 200_000, false], [
            $stats->level, $stats->firstLsn, $stats->lastLsn, $stats->records, $stats->recordBytes,
            $stats->poisoned,
        ]);
        self::assertGreaterThan(0, $stats->writeLatency->count);
        $segments = $log->segments();
        self::assertCount($stats->segments, $segments);
        self::assertSame([1, true], [$segments[0]->firstLsn, $segments[0]->sealed]);
        self::assertNull($log->poisoned());
        $info = Check::info($this->path);
        self::assertSame(
            [true, 101, $log->uuid()],
            [$info->writerAlive, $info->nextLsn, $info->uuid],
        );
        self::assertCount(count($segments), $info->segments);
        $copy = $log->copyTo("{$this->path}-copy");
        self::assertSame([100, 1, 100], [$copy->records, $copy->firstLsn, $copy->lastLsn]);
        self::assertSame(self::all($log), self::all(Log::openReadOnly("{$this->path}-copy")));
        self::assertNotSame($log->uuid(), $copy->uuid);
    }

    public function testDamageIsFoundAndRepaired(): void
    {
        $log = Log::open($this->path);
        foreach (['first', 'second', 'third'] as $record) {
            $log->append($record);
        }
        $log->close();
        self::assertSame(0, Check::verify($this->path)->findingsCount);
        $file = glob("{$this->path}/*.wal")[0];
        file_put_contents($file, str_replace('second', 'seconD', file_get_contents($file)));
        $report = Check::verify($this->path);
        self::assertSame(1, $report->findingsCount);
        $finding = $report->findings[0];
        self::assertSame([1, 2, 2, true], [
            $finding->segment, $finding->firstLsn, $finding->lastLsn, $finding->recordsAtStake,
        ]);
        self::assertStringContainsString('.wal', $finding->path);
        self::assertNotSame('', $finding->message);
        $plan = Check::repair($this->path, dryRun: true);
        self::assertSame([false, [[2, 3]], null], [$plan->changed, $plan->lost, $plan->backup]);
        self::assertNotSame([], $plan->actions);
        $done = Check::repair($this->path);
        self::assertTrue($done->changed);
        self::assertDirectoryExists($done->backup);
        self::assertSame(2, $done->lostRecords);
        self::assertSame([1 => 'first'], self::all(Log::open($this->path)));
    }

    public function testOneWriterAtATime(): void
    {
        $log = Log::open($this->path);
        $locked = self::assertThrows(LockedException::class, fn () => Log::open($this->path));
        self::assertSame($this->path, $locked->path);
        self::assertThrows(LockedException::class, fn () => Log::destroy($this->path));
        $log->close();
        Log::open($this->path)->close();
    }

    public function testALockIsWaitedFor(): void
    {
        $process = $this->startPhp(
            '$log = Wal\Log::open($path); echo "open\n"; usleep(400_000);',
            $pipes,
        );
        self::assertSame("open\n", fgets($pipes[1]));
        $log = Log::open($this->path, new Options(lockWaitMs: 20_000));
        self::assertSame(1, $log->append('now'));
        self::assertSame(0, $this->finish($process, $pipes)[0]);
    }

    public function testWrongOptionsAndPathsAreRefusedAndChangeNothing(): void
    {
        $wrong = [new Options(segmentBytes: 0), new Options(segmentBytes: -1),
            new Options(firstLsn: 0),
            new Options(recordBytesMax: PHP_INT_MAX), new Options(maxBatchDelayUs: PHP_INT_MIN)];
        foreach ($wrong as $options) {
            self::assertThrows(InvalidException::class, fn () => Log::open($this->path, $options));
        }
        self::assertThrows(
            NotFoundException::class,
            fn () => Log::open($this->path, new Options(create: false)),
        );
        self::assertThrows(NotFoundException::class, fn () => Log::openReadOnly($this->path));
        self::assertThrows(NotFoundException::class, fn () => Check::verify($this->path));
        self::assertDirectoryDoesNotExist($this->path);
        foreach (['', "a\0b"] as $path) {
            $calls = [Log::open(...), Log::openReadOnly(...), Log::destroy(...), Check::info(...),
                Check::verify(...), Check::repair(...)];
            foreach ($calls as $call) {
                self::assertThrows(WalException::class, fn () => $call($path));
            }
        }
        self::assertThrows(\TypeError::class, fn () => Log::open(5));
        self::assertThrows(\Error::class, fn () => new Options(segmentBites: 5));
    }

    /** Names and numbers are those of the one list, bindings/codes.toml. */
    public function testTheListOfCodesIsWhatThePackageHas(): void
    {
        $list = file_get_contents(__DIR__ . '/../../codes.toml');
        preg_match_all(
            '/\[\[code\]\]\nname = "(\w+)"\nnumber = (-\d+)/',
            $list,
            $codes,
            PREG_SET_ORDER,
        );
        self::assertCount(17, $codes);
        foreach ($codes as [, $name, $number]) {
            $class = $name === 'PANIC' ? 'Internal' : self::camel($name);
            self::assertSame("Wal\\Exception\\{$class}Exception", Failure::classOf((int) $number));
        }
        self::assertSame('Wal\Exception\InternalException', Failure::classOf(-99));
        $enums = ['level' => Level::class, 'at_capacity' => AtCapacity::class, 'io' => Io::class,
            'read_mode' => ReadMode::class];
        preg_match_all('/\[\[enum\]\]\nname = "(\w+)"(.*?)\n\]/s', $list, $found, PREG_SET_ORDER);
        self::assertCount(count($enums), $found);
        foreach ($found as [, $name, $values]) {
            preg_match_all('/name = "(\w+)", number = (\d+)/', $values, $cases, PREG_SET_ORDER);
            $expected = array_map(fn ($case) => [self::camel($case[1]), (int) $case[2]], $cases);
            $own = array_map(fn ($case) => [$case->name, $case->value], $enums[$name]::cases());
            self::assertSame($expected, $own, $name);
        }
        preg_match_all(
            '/\[\[option\]\]\nname = "(\w+)"\n(?:(?!\n\n).)*/s',
            $list,
            $options,
            PREG_SET_ORDER,
        );
        $expected = array_map(static function (array $option): string {
            $unit = preg_match('/unit = "(\w+)"/', $option[0], $found) ? "_$found[1]" : '';
            return lcfirst(self::camel($option[1] . $unit));
        }, $options);
        $own = array_keys(get_class_vars(Options::class));
        sort($expected);
        sort($own);
        self::assertSame($expected, $own);
        self::assertSame('0.1.0', Library::version());
    }

    private static function camel(string $name): string
    {
        return str_replace('_', '', ucwords(strtolower($name), '_'));
    }
}
