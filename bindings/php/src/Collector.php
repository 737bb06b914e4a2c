<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * Has the library call PHP, where it has no other way to tell a list. It does so on the calling
 * thread, and PHP must return to it: an exception, a signal handler that throws or a memory limit
 * that is met in there would leave the library in the middle of its work. So what is told is only
 * put into a list, with memory for it seen to before, and signals wait.
 *
 * @internal
 */
final class Collector
{
    /** How many items are kept; findings beyond are counted in the report. */
    private const ITEMS_MAX = 10_000;
    private const MEMORY_BYTES = 8 << 20;

    /** @var array<string, CData> one for each kind: PHP keeps every callback it makes for good */
    private static array $callbacks = [];
    /** @var list<mixed> */
    private static array $items = [];

    /**
     * @param \Closure(CData): mixed $call gets the callback
     * @return list<mixed> what the library has told
     */
    public static function run(string $type, \Closure $call): array
    {
        $callback = self::$callbacks[$type] ??= self::callback($type);
        $outer = self::$items;
        self::$items = [];
        $signals = \function_exists('pcntl_async_signals') && \pcntl_async_signals(false);
        try {
            // Fails here if it has to fail, and leaves room for what comes.
            $room = \str_repeat("\0", self::MEMORY_BYTES);
            unset($room);
            $call($callback[0]);
            return self::$items;
        } finally {
            self::$items = $outer;
            if ($signals) {
                \pcntl_async_signals(true);
            }
        }
    }

    private static function callback(string $type): CData
    {
        $slot = Library::ffi()->new("{$type}[1]");
        $slot[0] = match ($type) {
            'wal_segment_fn' => static fn (CData $segment): int => self::put(Segment::of($segment)),
            'wal_value_fn' => static fn (?CData $key, int $keyLen, ?CData $value, int $len): int =>
                self::put([self::text($key, $keyLen), self::text($value, $len)]),
            'wal_finding_fn' => static function (CData $finding): void {
                self::put(Finding::of($finding));
            },
            'wal_repair_fn' => static function (int $kind, $text, int $first, int $last): void {
                self::put([$kind, \is_string($text) ? $text : FFI::string($text), $first, $last]);
            },
        };
        return $slot;
    }

    private static function put(mixed $item): int
    {
        if (\count(self::$items) < self::ITEMS_MAX) {
            self::$items[] = $item;
        }
        return 0;
    }

    private static function text(?CData $data, int $length): string
    {
        return $data === null || $length === 0 ? '' : FFI::string($data, $length);
    }
}
