<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** What there is at a path. */
final class Info
{
    /**
     * @param bool $clean whether the last writer closed the log
     * @param bool $writerAlive whether a writer has it open now
     * @param ?int $firstTimeNs commit time of the first record
     * @param int $values entries of the key-value state
     * @param Recovery $recovery what opening it would do
     * @param list<Segment> $segments oldest first
     */
    public function __construct(
        public readonly bool $clean,
        public readonly bool $writerAlive,
        public readonly string $uuid,
        public readonly int $epoch,
        public readonly ?int $firstLsn,
        public readonly ?int $lastLsn,
        public readonly int $nextLsn,
        public readonly int $durableSegment,
        public readonly int $durableOffset,
        public readonly ?int $firstTimeNs,
        public readonly ?int $lastTimeNs,
        public readonly int $spares,
        public readonly int $values,
        public readonly int $diskBytes,
        public readonly int $validBytes,
        public readonly Recovery $recovery,
        public readonly array $segments,
    ) {
    }

    /** @internal */
    public static function slot(FFI $ffi): CData
    {
        $report = $ffi->new('wal_info[1]');
        $report[0]->struct_size = FFI::sizeof($report[0]);
        return $report;
    }

    /** @internal */
    public static function of(CData $info, CData $recovery, array $segments): self
    {
        return new self(
            $info->clean !== 0,
            $info->writer_alive !== 0,
            \bin2hex(FFI::string($info->uuid, 16)),
            $info->epoch,
            $info->first_lsn ?: null,
            $info->last_lsn ?: null,
            $info->next_lsn,
            $info->durable_segment,
            $info->durable_offset,
            $info->first_time_ns ?: null,
            $info->last_time_ns ?: null,
            $info->spares,
            $info->values,
            $info->disk_bytes,
            $info->valid_bytes,
            Recovery::of($recovery),
            $segments,
        );
    }
}
