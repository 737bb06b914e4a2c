<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** What a repair did, or would do. */
final class RepairReport
{
    private const ACTION = 1;
    private const LOST = 2;
    /** @internal */
    public const BACKUP = 3;

    /**
     * @param bool $changed whether anything was changed
     * @param list<string> $actions what was (or would be) done; nothing for a sound log
     * @param list<array{int, int}> $lost first and last LSN of records that are lost; of these and
     *     the actions, 10,000 lines at most: `$lostRecords` counts all
     * @param ?string $backup the directory with copies of the changed files
     */
    public function __construct(
        public readonly bool $changed,
        public readonly array $actions,
        public readonly array $lost,
        public readonly int $lostRecords,
        public readonly ?string $backup,
    ) {
    }

    /** @internal */
    public static function slot(FFI $ffi): CData
    {
        $report = $ffi->new('wal_repair_report[1]');
        $report[0]->struct_size = FFI::sizeof($report[0]);
        return $report;
    }

    /**
     * @internal
     * @param list<array{int, string, int, int}> $lines
     */
    public static function of(CData $report, array $lines): self
    {
        $actions = $lost = [];
        $backup = null;
        foreach ($lines as [$kind, $text, $first, $last]) {
            match ($kind) {
                self::ACTION => $actions[] = $text,
                self::LOST => $lost[] = [$first, $last],
                self::BACKUP => $backup = $text,
                default => null,
            };
        }
        return new self($report->changed !== 0, $actions, $lost, $report->lost_records, $backup);
    }
}
