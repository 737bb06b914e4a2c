<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** What a verification found. */
final class VerifyReport
{
    /**
     * @param list<Finding> $findings at most 10,000 of `$findingsCount`
     * @param bool $tornTail whether there is an unfinished tail, which is no damage
     */
    public function __construct(
        public readonly array $findings,
        public readonly int $findingsCount,
        public readonly bool $tornTail,
        public readonly int $segments,
        public readonly int $commits,
        public readonly int $records,
        public readonly int $bytes,
        public readonly ?int $firstLsn,
        public readonly ?int $lastLsn,
    ) {
    }

    /** @internal */
    public static function slot(FFI $ffi): CData
    {
        $report = $ffi->new('wal_verify_report[1]');
        $report[0]->struct_size = FFI::sizeof($report[0]);
        return $report;
    }

    /** @internal */
    public static function of(CData $report, array $findings): self
    {
        return new self(
            $findings,
            $report->findings,
            $report->torn_tail !== 0,
            $report->segments,
            $report->commits,
            $report->records,
            $report->bytes,
            $report->first_lsn ?: null,
            $report->last_lsn ?: null,
        );
    }
}
