<?php

declare(strict_types=1);

namespace Wal\Tests;

use Wal\Check;
use Wal\Exception\ClosedException;
use Wal\Exception\WalException;
use Wal\Level;
use Wal\Log;
use Wal\Options;
use Wal\Position;
use Wal\RecoveryCase;

/** Nothing a program does with a log crashes or hangs PHP. */
final class SafetyTest extends LogCase
{
    public function testEveryCallOnAClosedLogIsAClosedException(): void
    {
        $log = Log::open($this->path);
        $log->append('a');
        [$cursor, $follower, $values] = [$log->cursor(), $log->follow(), $log->values()];
        $ticket = $log->submit('b');
        $log->close();
        $log->close();
        self::assertTrue($log->isClosed());
        self::assertSame('b', $follower->next(1000)?->payload, 'what became visible is still told');
        $calls = [
            fn () => $log->append(''),
            fn () => $log->append('', Level::Buffered),
            fn () => $log->appendAt(3, ''),
            fn () => $log->appendBatch(['']),
            fn () => $log->appendBatch([''], timeNs: 1),
            fn () => $log->submit(''),
            fn () => $log->submitBatch(['']),
            fn () => $log->waitDurable(99),
            fn () => $log->sync(),
            fn () => $log->read(1),
            fn () => $log->record(1),
            fn () => $log->readBatch(),
            fn () => $log->timeOf(1),
            fn () => $log->cursor(),
            fn () => $log->follow(),
            fn () => $log->replay(fn () => null),
            fn () => $log->notifier(),
            fn () => $log->trim(1),
            fn () => $log->truncate(1),
            fn () => $log->resetTo(1),
            fn () => $log->copyTo("{$this->path}-copy"),
            fn () => $values->get('k'),
            fn () => $values->set('k', 'v'),
            fn () => $values->delete('k'),
            fn () => $values->update(['k' => 'v']),
            fn () => count($values),
            fn () => $cursor->seek(1),
            fn () => $follower->next(1),
            fn () => $follower->readBatch(1, 1),
        ];
        foreach ($calls as $number => $call) {
            self::assertThrows(ClosedException::class, $call, "call $number");
        }
        self::assertSame(2, $ticket->wait(), 'what was in flight is durable');
        self::assertSame($this->path, $log->path);
    }

    public function testADestroyedLogRefusesEverything(): void
    {
        $log = Log::open($this->path);
        $log->append('a');
        $cursor = $log->cursor();
        $log->__destruct();
        $log->__destruct();
        $calls = [fn () => $log->append('b'), fn () => $log->appendBatch(['b']),
            fn () => $log->close(), fn () => $log->cursor(), fn () => $log->values()->get('k')];
        foreach ($calls as $number => $call) {
            self::assertThrows(WalException::class, $call, "call $number");
        }
        self::assertNull($log->lastLsn());
        $cursor->__destruct();
        $cursor->__destruct();
        self::assertThrows(WalException::class, fn () => $cursor->next());
        self::assertThrows(WalException::class, fn () => iterator_to_array($cursor));
        self::assertSame([1 => 'a'], self::all(Log::open($this->path)));
    }

    public function testNothingCanBeClonedSerializedOrMadeByHand(): void
    {
        $log = Log::open($this->path);
        $things = [
            $log,
            $log->cursor(),
            $log->follow(),
            $log->submit('x'),
            $log->notifier(),
            $log->values(),
        ];
        foreach ($things as $thing) {
            self::assertThrows(\Error::class, fn () => clone $thing);
            self::assertThrows(\LogicException::class, fn () => serialize($thing));
            $class = $thing::class;
            $text = sprintf('O:%d:"%s":0:{}', strlen($class), $class);
            self::assertThrows(\LogicException::class, fn () => unserialize($text));
            $hollow = (new \ReflectionClass($class))->newInstanceWithoutConstructor();
            $calls = ['append' => ['x'], 'next' => [], 'wait' => [], 'get' => ['k']];
            foreach ($calls as $name => $arguments) {
                if (method_exists($hollow, $name)) {
                    self::assertThrows(
                        \Error::class,
                        fn () => $hollow->$name(...$arguments),
                        "$class::$name",
                    );
                }
            }
            unset($hollow);
            self::assertNotSame('', print_r($thing, true));
        }
        self::assertThrows(\Error::class, fn () => new Log('x', null, false));
        self::assertThrows(\Error::class, fn () => $log->path = 'x');
        self::assertSame(2, $log->append('the log is well'));
    }

    public function testALogThatIsDroppedIsClosed(): void
    {
        $log = Log::open($this->path);
        $log->append('a', Level::Buffered);
        unset($log);
        $log = Log::open($this->path);
        self::assertSame([RecoveryCase::Clean, 'a'], [$log->recovery->case, $log->read(1)]);
        $cycle = new \stdClass();
        $cycle->self = $cycle;
        $cycle->things = [$log, $log->cursor(), $log->submit('b'), $log->cursor()->getIterator()];
        $cycle->things[3]->current();
        unset($log, $cycle);
        gc_collect_cycles();
        self::assertSame(2, Log::open($this->path)->lastLsn());
    }

    public function testManyLogsAndCursorsLeakNoDescriptorAndNoMemory(): void
    {
        $round = function (int $number): void {
            $log = Log::open("{$this->path}-$number", new Options(segmentBytes: 65536));
            $log->appendBatch(['a', 'b']);
            $log->notifier()->stream();
            $log->follow(1)->next();
            $log->segments();
            iterator_to_array($log->values());
            foreach ($log->cursor() as $payload) {
                break;
            }
            try {
                $log->read(99);
            } catch (WalException) {
            }
        };
        array_map($round, range(1, 5));
        gc_collect_cycles();
        [$descriptors, $memory] = [count(scandir('/proc/self/fd')), memory_get_usage()];
        array_map($round, range(6, 25));
        gc_collect_cycles();
        self::assertLessThanOrEqual($descriptors, count(scandir('/proc/self/fd')));
        // What PHP keeps for each path it has seen.
        self::assertLessThan($memory + 20 * 6_000, memory_get_usage());
    }

    public function testAForkedChildIsRefusedAndDoesNoHarm(): void
    {
        [$code, $output, $errors] = $this->runPhp('
            $log = Wal\Log::open($path);
            $log->append("parent");
            [$cursor, $follower] = [$log->cursor(), $log->follow(1)];
            $child = pcntl_fork();
            if ($child === 0) {
                $calls = [fn () => $log->append("child"),
                    fn () => $log->append("", Wal\Level::Buffered),
                    fn () => $log->appendBatch(["child"]),
                    fn () => $log->sync(), fn () => $log->read(1),
                    fn () => $log->cursor(), fn () => $cursor->next(), fn () => $follower->next(10),
                    fn () => $log->values()->get("k"), fn () => $log->close()];
                foreach ($calls as $number => $call) {
                    try {
                        $call();
                        exit($number + 1);
                    } catch (Wal\Exception\ForkedException) {
                    }
                }
                unset($log, $cursor, $follower, $calls, $call);
                $own = Wal\Log::open("$path-child");
                $own->append("of its own");
                exit(0);
            }
            pcntl_waitpid($child, $status);
            echo pcntl_wifexited($status) ? pcntl_wexitstatus($status) : "killed", " ";
            echo $log->append("parent again");
        ');
        self::assertSame([0, '0 2', ''], [$code, $output, $errors]);
        $log = Log::open($this->path);
        self::assertSame([1 => 'parent', 2 => 'parent again'], self::all($log));
        self::assertSame(RecoveryCase::Clean, $log->recovery->case);
        self::assertSame([1 => 'of its own'], self::all(Log::open("{$this->path}-child")));
    }

    /** @return array<string, array{string, int, string}> code, exit code, what is on stderr */
    public static function ends(): array
    {
        $inLoop = 'foreach ($log->cursor() as $payload) { %s }';
        return [
            'returns' => ['', 0, ''],
            'exit' => ['exit(3);', 3, ''],
            'exit in a loop' => [sprintf($inLoop, 'exit(3);'), 3, ''],
            'exit in a shutdown function' => [
                'register_shutdown_function(fn () => exit(5));',
                5,
                '',
            ],
            'exception' => [
                sprintf($inLoop, 'throw new DomainException("oh");'),
                255,
                'DomainException',
            ],
            'error in a callback' => [
                '$log->replay(fn () => nothing());',
                255,
                'undefined function',
            ],
            'out of memory' => [
                'ini_set("memory_limit", "32M"); $log->append(str_repeat("x", 1 << 26));',
                255, 'Allowed memory size'],
            'out of memory in a loop' => [
                'ini_set("memory_limit", "32M");
                while (true) { $kept[] = [$log->cursor(), $log->submit(str_repeat("x", 9000))]; }',
                255, 'Allowed memory size'],
            'out of time' => [
                'set_time_limit(1);
                while (true) { $log->appendBatch(["x"], Wal\Level::Buffered); }',
                255, 'Maximum execution time'],
            'used in a shutdown function' => [
                'register_shutdown_function(fn () => $log->append("at the end"));', 0, ''],
            'kept in a static' => [
                'final class Kept { static $all; } Kept::$all = [$log, $log->cursor()];', 0, ''],
            'fatal while in a static' => [
                'final class Kept { static $all; }
                Kept::$all = [$log, $log->cursor(), $log->follow()];
                ini_set("memory_limit", "32M"); str_repeat("x", 1 << 26);', 255,
                'Allowed memory size'],
        ];
    }

    /** @dataProvider ends */
    public function testAnEndWithALogOpenClosesIt(string $end, int $code, string $errors): void
    {
        $found = $this->runPhp("
            \$log = Wal\\Log::open(\$path);
            \$log->appendBatch(['a', 'b', 'c']);
            \$log->append('in memory', Wal\\Level::Buffered);
            \$log->submit('in flight');
            \$follower = \$log->follow();
            \$loop = \$log->cursor()->getIterator();
            $end");
        self::assertSame($code, $found[0], $found[2]);
        self::assertStringContainsString($errors, $found[2]);
        self::assertTrue($errors !== '' || $found[2] === '', $found[2]);
        $log = Log::open($this->path);
        self::assertSame(RecoveryCase::Clean, $log->recovery->case);
        self::assertSame(
            ['a', 'b', 'c', 'in memory', 'in flight'],
            array_slice(self::all($log), 0, 5),
        );
    }

    /** PHP then runs no other destructor: what was not told to be on disk may be lost, no more. */
    public function testAnExitInADestructorLosesNothingThatIsOnDisk(): void
    {
        $found = $this->runPhp('
            $other = new class { function __destruct() { exit(4); } };
            $log = Wal\Log::open($path);
            $log->append("on disk");
            unset($other);');
        self::assertSame([4, '', ''], $found);
        self::assertSame('on disk', Log::open($this->path)->read(1));
    }

    public function testAListThatDoesNotFitIntoMemoryEndsOutsideTheLibrary(): void
    {
        [$code, , $errors] = $this->runPhp('
            $log = Wal\Log::open($path);
            $log->append("a");
            ini_set("memory_limit", memory_get_usage(true) + (2 << 20) . "");
            $log->segments();');
        self::assertSame(255, $code);
        self::assertStringContainsString('Collector.php', $errors);
        self::assertSame(RecoveryCase::Clean, Log::open($this->path)->recovery->case);
    }

    public function testWhatWasAcknowledgedSurvivesSigkill(): void
    {
        $last = 0;
        for ($round = 0; $round < 3; $round++) {
            $process = $this->startPhp('
                $log = Wal\Log::open($path);
                while (true) {
                    $tickets = array_map($log->submit(...), array_fill(0, 16, str_repeat("x", 50)));
                    foreach ($tickets as $ticket) { fwrite(STDOUT, $ticket->wait() . "\n"); }
                    fwrite(STDOUT, $log->appendBatch(["y", "z"]) . "\n");
                }', $pipes);
            $told = [];
            while (count($told) < 200) {
                $told[] = (int) fgets($pipes[1]);
            }
            posix_kill(proc_get_status($process)['pid'], SIGKILL);
            while (($line = fgets($pipes[1])) !== false) {
                $told[] = (int) $line;
            }
            self::assertSame(128 + SIGKILL, $this->finish($process, $pipes)[0]);
            self::assertGreaterThan($last, $told[0]);
            $log = Log::open($this->path);
            self::assertGreaterThanOrEqual(end($told), $log->lastLsn());
            self::assertSame(range(1, $log->lastLsn()), array_keys(self::all($log)));
            $last = $log->lastLsn();
            $log->close();
        }
        self::assertSame(0, Check::verify($this->path)->findingsCount);
    }

    public function testAFailureToCloseIsToldByTheDestructor(): void
    {
        [$code, $output, $errors] = $this->runPhp('
            $log = Wal\Log::open($path);
            $log->append("a", Wal\Level::Buffered);
            // No file may grow any more: what is in memory cannot be written.
            array_map(unlink(...), glob("$path/*"));
            rmdir($path);
            file_put_contents($path, "");
            unset($log);
            echo "alive";');
        self::assertSame([0, 'alive'], [$code, $output], $errors);
    }

    public function testPositionsThatAreNoneAreRefused(): void
    {
        $log = Log::open($this->path);
        $log->append('a');
        foreach ([Position::lsn(0), Position::lsn(-5), Position::time(-1), 3] as $position) {
            self::assertThrows(WalException::class, fn () => $log->cursor($position));
            self::assertThrows(WalException::class, fn () => $log->follow($position));
        }
        self::assertThrows(\TypeError::class, fn () => $log->cursor('1'));
        self::assertThrows(\Error::class, fn () => new Position(9, 9));
    }
}
