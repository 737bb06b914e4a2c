<?php

declare(strict_types=1);

namespace Wal;

/**
 * Waits in slices: between two of them PHP runs signal handlers (`pcntl_async_signals`), which
 * could not end a wait inside the library.
 *
 * @internal
 */
final class Wait
{
    private const SLICE_MS = 100;

    /**
     * @param ?int $timeoutMs null: as long as it takes
     * @param \Closure(int): int $call takes milliseconds, returns the library's code
     */
    public static function inSlices(?int $timeoutMs, \Closure $call): int
    {
        if ($timeoutMs === null || $timeoutMs < 0) {
            do {
                $code = $call(self::SLICE_MS);
            } while ($code === Failure::TIMEOUT);
            return $code;
        }
        $started = \hrtime(true);
        $left = $timeoutMs;
        do {
            $code = $call(\min($left, self::SLICE_MS));
            $left = $timeoutMs - \intdiv(\hrtime(true) - $started, 1_000_000);
        } while ($code === Failure::TIMEOUT && $left > 0);
        return $code;
    }
}
