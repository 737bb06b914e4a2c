<?php

declare(strict_types=1);

namespace Wal\Tests;

use Wal\Exception\ClosedException;
use Wal\Log;

final class FollowingTest extends LogCase
{
    public function testAFollowerWaitsSoLongAndNoLonger(): void
    {
        $log = Log::open($this->path);
        $follower = $log->follow();
        self::assertNull($follower->next(0));
        $started = hrtime(true);
        self::assertNull($follower->next(230));
        self::assertGreaterThanOrEqual(230, (hrtime(true) - $started) / 1e6);
        $log->appendBatch(['a', 'b']);
        self::assertSame('a', $follower->next(10_000)?->payload);
        self::assertSame([2 => 'b'], $follower->readBatch(10, 0));
        self::assertSame([], $follower->readBatch(10, 0));
        $follower->seek(1);
        self::assertSame(1, $follower->nextLsn());
        self::assertSame([1 => 'a', 2 => 'b'], iterator_to_array($follower->within(0)));
    }

    public function testAFollowerIsFedByAnotherProcess(): void
    {
        $process = $this->startPhp('
            $log = Wal\Log::open($path);
            for ($n = 1; $n <= 20; $n++) { $log->append("event $n"); usleep(5000); }
            $log->close();', $pipes);
        while (!is_dir($this->path) || glob("{$this->path}/*.wal") === []) {
            usleep(5000);
        }
        $found = [];
        foreach (Log::openReadOnly($this->path)->follow(1) as $lsn => $payload) {
            $found[$lsn] = $payload;
            if ($lsn === 20) {
                break;
            }
        }
        self::assertSame([0, '', ''], $this->finish($process, $pipes));
        self::assertSame(array_map(fn ($n) => "event $n", range(1, 20)), array_values($found));
    }

    public function testALoopLeftEarlyLosesNothing(): void
    {
        $log = Log::open($this->path);
        $log->appendBatch(['a', 'b', 'c']);
        $follower = $log->follow(1);
        foreach ($follower as $lsn => $payload) {
            break;
        }
        self::assertSame(2, $follower->nextLsn());
        self::assertSame('b', $follower->next(0)?->payload);
    }

    public function testASignalHandlerMayAppendAndCloseWhileAFollowerWaits(): void
    {
        [$code, $output, $errors] = $this->runPhp('
            pcntl_async_signals(true);
            $log = Wal\Log::open($path);
            $calls = 0;
            pcntl_signal(SIGUSR1, function () use ($log, &$calls) {
                ++$calls < 3 ? $log->append("call $calls") : $log->close();
            });
            $parent = posix_getpid();
            $child = pcntl_fork();
            if ($child === 0) {
                while (posix_getppid() === $parent) {
                    usleep(50_000);
                    posix_kill($parent, SIGUSR1);
                }
                posix_kill(posix_getpid(), SIGKILL);
            }
            try {
                foreach ($log->follow() as $lsn => $payload) { echo "$lsn $payload\n"; }
            } catch (Wal\Exception\ClosedException) {
                echo "closed\n";
            }
            posix_kill($child, SIGKILL);');
        self::assertSame([0, "1 call 1\n2 call 2\nclosed\n", ''], [$code, $output, $errors]);
    }

    public function testASignalHandlerMayAppendBetweenAnAppendAndItsResult(): void
    {
        [$code, $output, $errors] = $this->runPhp('
            pcntl_async_signals(true);
            $log = Wal\Log::open($path, new Wal\Options(level: Wal\Level::Buffered));
            $inside = [];
            pcntl_signal(
                SIGUSR1,
                function () use ($log, &$inside) { $inside[] = $log->append("inside"); },
            );
            $parent = posix_getpid();
            $child = pcntl_fork();
            if ($child === 0) {
                while (posix_getppid() === $parent) { usleep(100); posix_kill($parent, SIGUSR1); }
                posix_kill(posix_getpid(), SIGKILL);
            }
            $until = hrtime(true) + 1_500_000_000;
            while (hrtime(true) < $until) {
                $lsn = $log->append("outside");
                if (in_array($lsn, $inside, true)) { exit("LSN $lsn twice"); }
                if (count($inside) > 50) { $inside = array_slice($inside, -10); }
            }
            posix_kill($child, SIGKILL);
            foreach ($log->cursor() as $payload) { $kinds[$payload] = true; }
            echo count($kinds);');
        self::assertSame([0, '2', ''], [$code, $output, $errors]);
    }

    public function testAFollowerOfAClosedLogDeliversWhatThereIsFirst(): void
    {
        $log = Log::open($this->path);
        $follower = $log->follow();
        $log->append('a');
        $log->close();
        self::assertSame('a', $follower->next()?->payload);
        self::assertThrows(ClosedException::class, fn () => $follower->next());
    }

    public function testANotifiersStreamTellsOfDurableRecords(): void
    {
        $log = Log::open($this->path);
        $notifier = $log->notifier();
        $readable = static function (int $seconds) use ($notifier): int {
            [$read, $none] = [[$notifier->stream()], null];
            return stream_select($read, $none, $none, $seconds);
        };
        self::assertSame(0, $readable(0));
        $log->submit('a');
        self::assertSame(1, $readable(10));
        self::assertSame(1, $notifier->acknowledge());
        self::assertSame(0, $readable(0));
        $log->close();
        self::assertSame(1, $readable(10));
        self::assertThrows(ClosedException::class, $notifier->acknowledge(...));
    }
}
