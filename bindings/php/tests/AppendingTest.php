<?php

declare(strict_types=1);

namespace Wal\Tests;

use Wal\Exception\ConflictException;
use Wal\Exception\FullException;
use Wal\Exception\InvalidException;
use Wal\Exception\TimeoutException;
use Wal\Exception\WouldBlockException;
use Wal\AtCapacity;
use Wal\Level;
use Wal\Log;
use Wal\Options;

final class AppendingTest extends LogCase
{
    public function testARecordIsDurableWhenAppendReturns(): void
    {
        $log = Log::open($this->path);
        self::assertSame(1, $log->append('a'));
        self::assertSame(1, $log->durableLsn());
        self::assertSame('a', $log->read(1));
    }

    public function testLevelsPromiseWhatTheySay(): void
    {
        $log = Log::open($this->path, new Options(level: Level::Buffered));
        self::assertSame(1, $log->append('memory'));
        self::assertSame(2, $log->append('kernel', Level::Os));
        self::assertSame(2, $log->writtenLsn());
        self::assertSame(3, $log->append('disk', Level::Disk));
        self::assertSame(3, $log->durableLsn());
        $log->append('memory again');
        self::assertSame(4, $log->sync());
        self::assertSame(4, $log->durableLsn());
        self::assertSame(4, $log->submittedLsn());
    }

    public function testARecordIsAnyBytes(): void
    {
        $records = ['', "\0", "a\0b", "\xff\xfe", str_repeat("\0x", 5000), random_bytes(70_000)];
        $log = Log::open($this->path);
        foreach ($records as $record) {
            $log->append($record);
        }
        $log->appendBatch($records);
        self::assertSame([...$records, ...$records], array_values(self::all($log)));
        self::assertSame($records[5], $log->read(6));
        self::assertSame('', $log->read(1));
    }

    public function testABatchIsWholeWhateverTheLengths(): void
    {
        $log = Log::open($this->path);
        $records = [];
        for ($length = 0; $length < 70; $length++) {
            array_push($records, ...array_fill(0, $length % 3 + 1, str_repeat('x', $length)));
        }
        shuffle($records);
        self::assertSame(count($records), $log->appendBatch($records));
        self::assertSame($records, array_values(self::all($log)));
        $continues = array_map(
            fn ($record) => $record->batchContinues,
            $log->cursor()->readRecords(),
        );
        self::assertSame([...array_fill(0, count($records) - 1, true), false], $continues);
    }

    public function testABatchMayComeFromAGeneratorWithAnyKeys(): void
    {
        $log = Log::open($this->path);
        $records = (static function (): \Generator {
            yield 'k' => 'a';
            yield 'k' => 'bb';
            yield 7 => 'cc';
        })();
        self::assertSame(3, $log->appendBatch($records));
        self::assertSame(5, $log->appendBatch(['x' => 'd', 'y' => 'e'], timeNs: 1_000));
        self::assertSame(['a', 'bb', 'cc', 'd', 'e'], array_values(self::all($log)));
    }

    public function testAFailureWhileABatchIsMadeAppendsNothing(): void
    {
        $log = Log::open($this->path);
        $records = (static function (): \Generator {
            yield 'a';
            throw new \DomainException('no more');
        })();
        self::assertThrows(\DomainException::class, fn () => $log->appendBatch($records));
        self::assertThrows(InvalidException::class, fn () => $log->appendBatch([]));
        self::assertThrows(InvalidException::class, fn () => $log->appendBatch([], timeNs: 1));
        self::assertSame(1, $log->nextLsn());
    }

    public function testAWrongTypeIsATypeErrorAndAppendsNothing(): void
    {
        $log = Log::open($this->path);
        foreach ([1, 1.5, null, [], new \stdClass(), true] as $wrong) {
            self::assertThrows(\TypeError::class, fn () => $log->append($wrong));
            self::assertThrows(\TypeError::class, fn () => $log->submit($wrong));
            self::assertThrows(\TypeError::class, fn () => $log->appendBatch(['a', $wrong]));
            self::assertThrows(\TypeError::class, fn () => $log->submitBatch([$wrong], timeNs: 1));
        }
        self::assertThrows(\TypeError::class, fn () => $log->appendBatch('a'));
        self::assertThrows(\TypeError::class, fn () => $log->append('a', 3));
        self::assertSame(1, $log->append('the log is well'));
    }

    public function testTicketsTellWhenTheirRecordsAreDurable(): void
    {
        $log = Log::open($this->path);
        $tickets = array_map($log->submit(...), array_map(strval(...), range(1, 300)));
        $batch = $log->submitBatch(['a', 'b']);
        self::assertSame([301, 302], [$batch->firstLsn, $batch->lastLsn]);
        self::assertSame(302, $batch->wait());
        self::assertTrue($tickets[0]->isDurable());
        self::assertSame(300, $tickets[299]->wait(0));
        self::assertSame(302, $log->waitDurable(302));
        self::assertSame(304, $log->submitBatch(['c', 'd'], timeoutMs: 1000)->wait());
    }

    public function testAWaitForWhatNeverComesEndsInTime(): void
    {
        $log = Log::open($this->path);
        $started = hrtime(true);
        self::assertThrows(TimeoutException::class, fn () => $log->waitDurable(1, 250));
        $milliseconds = (hrtime(true) - $started) / 1e6;
        self::assertGreaterThanOrEqual(250, $milliseconds);
        self::assertThrows(TimeoutException::class, fn () => $log->waitDurable(1, 0));
    }

    public function testAnAppendAtTheWrongPlaceTellsTheRightOne(): void
    {
        $log = Log::open($this->path);
        $log->append('a');
        $log->appendAt(2, 'b');
        $conflict = self::assertThrows(ConflictException::class, fn () => $log->appendAt(2, 'c'));
        self::assertSame(3, $conflict->lsn);
        self::assertSame(-5, $conflict->getCode());
        self::assertSame([1 => 'a', 2 => 'b'], self::all($log));
    }

    public function testTheTimeOfARecordCanBeGiven(): void
    {
        $log = Log::open($this->path);
        $log->appendBatch(['old', 'older'], timeNs: 1_000_000_000);
        self::assertSame(1_000_000_000, $log->timeOf(2));
        $log->append('now');
        self::assertEqualsWithDelta(time(), $log->timeOf(3) / 1e9, 60);
    }

    public function testAHugeRecordIsRefusedOrKeptWhole(): void
    {
        $log = Log::open(
            $this->path,
            new Options(recordBytesMax: 20 << 20, batchBytesMax: 20 << 20),
        );
        $huge = str_repeat('0123456789abcdef', 1 << 20);
        self::assertSame(1, $log->append($huge));
        self::assertTrue($log->read(1) === $huge);
        self::assertTrue(self::all($log) === [1 => $huge]);
        self::assertThrows(InvalidException::class, fn () => $log->append($huge . $huge));
        self::assertThrows(InvalidException::class, fn () => $log->appendBatch([$huge, $huge]));
        self::assertSame(2, $log->append('the log is well'));
    }

    public function testAFullLogSaysSoInTheWayThatWasAskedFor(): void
    {
        $options = ['segmentBytes' => 65536, 'maxBytes' => 131072];
        $reject = Log::open($this->path, new Options(...$options));
        $fill = static function (Log $log, callable $append): void {
            for ($count = 0; $count < 100; $count++) {
                $append($log);
            }
        };
        $record = str_repeat('x', 8000);
        self::assertThrows(
            FullException::class,
            fn () => $fill($reject, fn ($log) => $log->append($record)),
        );
        $block = Log::open(
            "{$this->path}-2",
            new Options(...$options, atCapacity: AtCapacity::Block),
        );
        self::assertThrows(WouldBlockException::class, fn () => $fill(
            $block,
            fn ($log) => $log->appendBatch([$record], timeoutMs: 0),
        ));
        self::assertThrows(
            TimeoutException::class,
            fn () => $block->appendBatch([$record], timeoutMs: 20),
        );
        $block->trim($block->nextLsn());
        self::assertGreaterThan(1, $block->appendBatch([$record], timeoutMs: 5000));
    }
}
