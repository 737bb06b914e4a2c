<?php

declare(strict_types=1);

namespace Wal;

/** Where reading begins. A plain LSN does in most places. */
final class Position
{
    private function __construct(
        /** @internal */
        public readonly int $from,
        /** @internal */
        public readonly int $at,
    ) {
    }

    /** The first record there is. */
    public static function first(): self
    {
        return new self(0, 0);
    }

    /** The record with this LSN, or where it will be, for the next LSN. */
    public static function lsn(int $lsn): self
    {
        return new self(1, $lsn);
    }

    /** After the last record. */
    public static function end(): self
    {
        return new self(2, 0);
    }

    /** The first record committed at this time (or nanoseconds since 1970) or later. */
    public static function time(int|\DateTimeInterface $time): self
    {
        return new self(3, self::nanoseconds($time));
    }

    /** @internal */
    public static function nanoseconds(int|\DateTimeInterface $time): int
    {
        if (\is_int($time)) {
            return $time;
        }
        return $time->getTimestamp() * 1_000_000_000 + (int) $time->format('u') * 1000;
    }
}
