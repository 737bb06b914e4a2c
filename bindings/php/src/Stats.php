<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** A log's state; each figure is exact, all of them together are not one instant. */
final class Stats
{
    /**
     * @param bool $poisoned `Log::poisoned` tells the cause
     * @param int $records appended since the opening, as all counters
     * @param int $syncs of segments on the commit path
     * @param int $trimmed segments
     */
    public function __construct(
        public readonly Level $level,
        public readonly bool $poisoned,
        public readonly bool $directIo,
        public readonly int $epoch,
        public readonly ?int $firstLsn,
        public readonly ?int $lastLsn,
        public readonly int $nextLsn,
        public readonly ?int $submittedLsn,
        public readonly ?int $writtenLsn,
        public readonly ?int $durableLsn,
        public readonly int $records,
        public readonly int $recordBytes,
        public readonly int $commits,
        public readonly int $bytesWritten,
        public readonly int $syncs,
        public readonly int $stateSyncs,
        public readonly int $rotations,
        public readonly int $spareMisses,
        public readonly int $recycled,
        public readonly int $trimmed,
        public readonly int $waitsForRoom,
        public readonly int $flushesInline,
        public readonly int $flushesBackground,
        public readonly int $reads,
        public readonly int $segments,
        public readonly int $spares,
        public readonly int $ringBytesUsed,
        public readonly Latency $writeLatency,
        public readonly Latency $syncLatency,
    ) {
    }

    /** @internal */
    public static function slot(FFI $ffi): CData
    {
        $report = $ffi->new('wal_stats[1]');
        $report[0]->struct_size = FFI::sizeof($report[0]);
        return $report;
    }

    /** @internal */
    public static function of(CData $stats): self
    {
        return new self(
            Level::from($stats->level),
            $stats->poisoned !== 0,
            $stats->direct_io !== 0,
            $stats->epoch,
            $stats->first_lsn ?: null,
            $stats->last_lsn ?: null,
            $stats->next_lsn,
            $stats->submitted_lsn ?: null,
            $stats->written_lsn ?: null,
            $stats->durable_lsn ?: null,
            $stats->records,
            $stats->record_bytes,
            $stats->commits,
            $stats->bytes_written,
            $stats->syncs,
            $stats->state_syncs,
            $stats->rotations,
            $stats->spare_misses,
            $stats->recycled,
            $stats->trimmed,
            $stats->waits_for_room,
            $stats->flushes_inline,
            $stats->flushes_background,
            $stats->reads,
            $stats->segments,
            $stats->spares,
            $stats->ring_bytes_used,
            Latency::of($stats->write_latency),
            Latency::of($stats->sync_latency),
        );
    }
}
