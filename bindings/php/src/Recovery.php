<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** What opening found and did. */
final class Recovery
{
    /**
     * @param ?int $cutSegment the segment whose tail was cut, null if none was; nothing that was
     *     acknowledged at the disk level is in what was cut
     * @param string $message the whole of it as one text
     */
    public function __construct(
        public readonly RecoveryCase $case,
        public readonly ?int $firstLsn,
        public readonly ?int $lastLsn,
        public readonly ?int $cutSegment,
        public readonly ?int $cutOffset,
        public readonly ?int $cutBytes,
        public readonly int $bytesScanned,
        public readonly int $commitsScanned,
        public readonly int $bytesRewritten,
        public readonly int $durationNs,
        public readonly string $message,
    ) {
    }

    /** @internal */
    public static function slot(FFI $ffi): CData
    {
        $report = $ffi->new('wal_recovery_report[1]');
        $report[0]->struct_size = FFI::sizeof($report[0]);
        return $report;
    }

    /** @internal */
    public static function of(CData $report): self
    {
        $cut = $report->cut !== 0;
        return new self(
            RecoveryCase::tryFrom($report->recovery_case) ?? RecoveryCase::Other,
            $report->first_lsn ?: null,
            $report->last_lsn ?: null,
            $cut ? $report->cut_segment : null,
            $cut ? $report->cut_offset : null,
            $cut ? $report->cut_bytes : null,
            $report->bytes_scanned,
            $report->commits_scanned,
            $report->bytes_rewritten,
            $report->duration_ns,
            FFI::string($report->message),
        );
    }
}
