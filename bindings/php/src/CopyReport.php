<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** A finished copy. */
final class CopyReport
{
    /**
     * @param string $uuid the identity of the copy
     */
    public function __construct(
        public readonly int $records,
        public readonly ?int $firstLsn,
        public readonly ?int $lastLsn,
        public readonly string $uuid,
    ) {
    }

    /** @internal */
    public static function slot(FFI $ffi): CData
    {
        $report = $ffi->new('wal_copy_report[1]');
        $report[0]->struct_size = FFI::sizeof($report[0]);
        return $report;
    }

    /** @internal */
    public static function of(CData $report): self
    {
        return new self(
            $report->records,
            $report->first_lsn ?: null,
            $report->last_lsn ?: null,
            \bin2hex(FFI::string($report->uuid, 16)),
        );
    }
}
