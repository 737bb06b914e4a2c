<?php

declare(strict_types=1);

use Wal\Record;

/** Reading and following. */
trait Reading
{
    private function doRead(Line $line): string
    {
        $lsn = $line->number('lsn');
        return "ok lsn=$lsn bytes=" . print_bytes($this->log($line)->read($lsn));
    }

    private function doReadMany(Line $line): string
    {
        foreach ($line->items('lsns') as $lsn) {
            $this->record($this->log($line)->record(whole_number($lsn)));
        }
        return $this->count();
    }

    private function doTimeOf(Line $line): string
    {
        return 'ok time=' . $this->log($line)->timeOf($line->number('lsn'));
    }

    private function doCursor(Line $line): string
    {
        $cursor = $this->log($line)->cursor(position($line, 'from'));
        $this->keep($line, 'cursor', $cursor);
        return "ok next={$cursor->nextLsn()}";
    }

    private function doNext(Line $line): string
    {
        return step($this->get($line, 'cursor')->next());
    }

    private function doPrev(Line $line): string
    {
        return step($this->get($line, 'cursor')->prev());
    }

    private function doSeek(Line $line): string
    {
        $cursor = $this->get($line, 'cursor');
        $cursor->seek(position($line, 'to'));
        return "ok next={$cursor->nextLsn()}";
    }

    private function doSeekTime(Line $line): string
    {
        $cursor = $this->get($line, 'cursor');
        $cursor->seek(Wal\Position::time($line->number('time')));
        return "ok next={$cursor->nextLsn()}";
    }

    private function doCursorTime(Line $line): string
    {
        return "ok time={$this->get($line, 'cursor')->time()}";
    }

    private function doReadBatch(Line $line): string
    {
        $cursor = $this->get($line, 'cursor');
        array_map($this->record(...), $cursor->readRecords($line->number('count')));
        return $this->count() . " next={$cursor->nextLsn()}";
    }

    private function doIterate(Line $line): string
    {
        $this->log($line)->replay($this->record(...), position($line, 'from'));
        return $this->count();
    }

    private function doDigest(Line $line): string
    {
        [$first, $last, $count, $crc] = [null, null, 0, hash_init('crc32b')];
        foreach ($this->log($line)->cursor(position($line, 'from')) as $lsn => $payload) {
            $first ??= $lsn;
            $last = $lsn;
            $count++;
            hash_update($crc, $payload);
        }
        return 'ok first=' . dash($first) . ' last=' . dash($last) . " count=$count crc="
            . hash_final($crc);
    }

    private function doReplay(Line $line): string
    {
        $stop = $line->maybe('stop');
        $last = $this->log($line)->replay(function (Record $record) use ($stop): bool {
            $this->record($record);
            return $record->lsn !== $stop;
        }, position($line, 'from'));
        return 'ok last=' . dash($last);
    }

    private function doFollow(Line $line): string
    {
        $follower = $this->log($line)->follow(position($line, 'from'));
        $this->keep($line, 'follower', $follower);
        return "ok next={$follower->nextLsn()}";
    }

    private function doFollowNext(Line $line): string
    {
        $record = $this->get($line, 'follower')->next($line->number('timeout_ms'));
        return $record === null ? 'error timeout' : step($record);
    }

    private function doFollowSeek(Line $line): string
    {
        $follower = $this->get($line, 'follower');
        $follower->seek(position($line, 'to'));
        return "ok next={$follower->nextLsn()}";
    }

    private function doFollowLive(Line $line): string
    {
        [$log, $records] = [$this->log($line), $line->manyData('records')];
        $follower = $log->follow(position($line, 'from'));
        $append = static function () use ($log, &$records): void {
            if ($records !== []) {
                $log->append(array_shift($records));
            }
        };
        $wanted = count($records);
        self::whileSignalled($append, function () use ($follower, $wanted): void {
            while (count($this->lines) < $wanted) {
                $this->record($follower->next());
            }
        });
        while ($records !== []) {
            $append();
        }
        return $this->count();
    }

    private function doFollowUntilClosed(Line $line): string
    {
        $log = $this->log($line);
        $follower = $log->follow(position($line, 'from'));
        self::whileSignalled($log->close(...), function () use ($follower): void {
            while (true) {
                $this->record($follower->next());
            }
        });
        return 'ok';
    }

    /** PHP has one thread: what happens while it waits is the work of a signal handler. */
    private static function whileSignalled(Closure $handler, Closure $wait): void
    {
        pcntl_async_signals(true);
        pcntl_signal(SIGUSR1, $handler);
        $parent = posix_getpid();
        $child = pcntl_fork();
        if ($child === 0) {
            while (posix_getppid() === $parent) {
                usleep(20_000);
                posix_kill($parent, SIGUSR1);
            }
            posix_kill(posix_getpid(), SIGKILL);
        }
        try {
            $wait();
        } finally {
            posix_kill($child, SIGKILL);
            pcntl_waitpid($child, $status);
            pcntl_signal(SIGUSR1, SIG_IGN);
        }
    }
}
