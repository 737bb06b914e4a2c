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
    /** How many items are kept, so that memory cannot run out inside a callback. */
    private const ITEMS_MAX = 10_000;
    /** What may be longer: reports that say themselves how much there was. */
    private const CUT = ['wal_finding_fn', 'wal_repair_fn'];
    private const MEMORY_BYTES = 8 << 20;

    /** @var array<string, CData> one for each kind: PHP keeps every callback it makes for good */
    private static array $callbacks = [];
    /** @var list<mixed> */
    private static array $items = [];
    /** What there was no room for. */
    private static int $dropped = 0;

    /**
     * @param \Closure(CData): mixed $call gets the callback
     * @return list<mixed> what the library has told
     * @throws \OverflowException for a list that would not be whole
     */
    public static function run(string $type, \Closure $call): array
    {
        $callback = self::$callbacks[$type] ??= self::callback($type);
        [$outer, $dropped] = [self::$items, self::$dropped];
        [self::$items, self::$dropped] = [[], 0];
        $signals = \function_exists('pcntl_async_signals') && \pcntl_async_signals(false);
        try {
            // Fails here if it has to fail, and leaves room for what comes.
            $room = \str_repeat("\0", self::MEMORY_BYTES);
            unset($room);
            $call($callback[0]);
            if (self::$dropped > 0 && !\in_array($type, self::CUT, true)) {
                $count = \count(self::$items) + self::$dropped;
                throw new \OverflowException("the list has {$count} items and PHP keeps at most "
                    . self::ITEMS_MAX . ': the command `wal` lists all');
            }
            return self::$items;
        } finally {
            [self::$items, self::$dropped] = [$outer, $dropped];
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
                $line = [$kind, \is_string($text) ? $text : FFI::string($text), $first, $last];
                // The one line about copies comes last and is always wanted.
                self::put($line, $kind === RepairReport::BACKUP);
            },
        };
        return $slot;
    }

    private static function put(mixed $item, bool $always = false): int
    {
        if ($always || \count(self::$items) < self::ITEMS_MAX) {
            self::$items[] = $item;
        } else {
            self::$dropped++;
        }
        return 0;
    }

    private static function text(?CData $data, int $length): string
    {
        return $data === null || $length === 0 ? '' : FFI::string($data, $length);
    }
}
