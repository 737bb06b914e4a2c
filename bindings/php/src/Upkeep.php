<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * Dropping records, copying a log, looking at it.
 *
 * @internal part of `Log`
 */
trait Upkeep
{
    /**
     * Drops every record before the LSN `$before`. Returns the first record still there.
     *
     * When this returns, the records are gone for every reader, also after power loss.
     */
    public function trim(int $before): ?int
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_trim($this->handle, $before, $out->number, $out->error), $out);
        return $out->number[0] ?: null;
    }

    /**
     * Drops every record after the LSN `$after`, also inside a batch.
     *
     * When this returns, the records are gone, also after power loss, and never come back.
     */
    public function truncate(int $after): void
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_truncate($this->handle, $after, $out->error), $out);
    }

    /** Empties the log; the next record gets the LSN `$next`. */
    public function resetTo(int $next): void
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_reset_to($this->handle, $next, $out->error), $out);
    }

    /** Copies the log, while it is in use, to a new log in the directory `$path`. */
    public function copyTo(string $path): CopyReport
    {
        $out = new Out($this->ffi);
        $report = CopyReport::slot($this->ffi);
        $this->must($this->ffi
            ->wal_copy_to($this->handle, self::checked($path), $report, $out->error), $out);
        return CopyReport::of($report[0]);
    }

    /** The log's identity: 32 hexadecimal digits. */
    public function uuid(): string
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_uuid($this->handle, $out->bytes(), $out->error), $out);
        return \bin2hex(FFI::string($out->bytes(), 16));
    }

    /** The log's state. */
    public function stats(): Stats
    {
        $out = new Out($this->ffi);
        $stats = Stats::slot($this->ffi);
        $this->must($this->ffi->wal_stats_read($this->handle, $stats, $out->error), $out);
        return Stats::of($stats[0]);
    }

    /**
     * The segments, oldest first; the last is the active one.
     *
     * @return list<Segment>
     * @throws \OverflowException for more than 10,000
     */
    public function segments(): array
    {
        $out = new Out($this->ffi);
        return Collector::run('wal_segment_fn', fn (CData $collect) => $this->must($this->ffi
            ->wal_stats_segments($this->handle, $collect, null, $out->error), $out));
    }

    /** The failure because of which the log refuses appends, if it does. */
    public function poisoned(): ?Exception\PoisonedException
    {
        $out = new Out($this->ffi);
        $code = $this->ffi->wal_poisoned($this->handle, $out->error);
        if ($code === Failure::POISONED) {
            $failure = $out->failure($this->path);
            return $failure instanceof Exception\PoisonedException ? $failure : null;
        }
        $this->must($code, $out);
        return null;
    }
}
