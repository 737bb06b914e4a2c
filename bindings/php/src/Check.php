<?php

declare(strict_types=1);

namespace Wal;

use FFI\CData;

/** What can be done to a log that is not open. */
final class Check
{
    /** Tells what there is at a path, and what opening it would do. Changes nothing. */
    public static function info(string $path): Info
    {
        $ffi = Library::ffi();
        $out = new Out($ffi);
        $info = Info::slot($ffi);
        $recovery = Recovery::slot($ffi);
        $path = Log::checked($path);
        $segments = Collector::run('wal_segment_fn', fn (CData $collect) => self::must($ffi
            ->wal_check_info($path, $info, $recovery, $collect, null, $out->error), $out, $path));
        return Info::of($info[0], $recovery[0], $segments);
    }

    /** Reads every byte of a log and compares it with its checksums. Changes nothing. */
    public static function verify(string $path): VerifyReport
    {
        $ffi = Library::ffi();
        $out = new Out($ffi);
        $report = VerifyReport::slot($ffi);
        $path = Log::checked($path);
        $findings = Collector::run('wal_finding_fn', fn (CData $collect) => self::must($ffi
            ->wal_check_verify($path, null, $collect, null, $report, $out->error), $out, $path));
        return VerifyReport::of($report[0], $findings);
    }

    /**
     * Salvages a damaged log: cuts away what is damaged and keeps copies of the changed files.
     *
     * When this returns, the repaired log survives power loss.
     *
     * @param bool $dryRun only tells what it would do
     */
    public static function repair(string $path, bool $dryRun = false): RepairReport
    {
        $ffi = Library::ffi();
        $out = new Out($ffi);
        $report = RepairReport::slot($ffi);
        $dry = (int) $dryRun;
        $path = Log::checked($path);
        $lines = Collector::run('wal_repair_fn', fn (CData $collect) => self::must($ffi
            ->wal_check_repair($path, $dry, $collect, null, $report, $out->error), $out, $path));
        return RepairReport::of($report[0], $lines);
    }

    private static function must(int $code, Out $out, string $path): void
    {
        if ($code !== 0) {
            throw $out->failure($path);
        }
    }
}
