<?php

declare(strict_types=1);

namespace Wal;

/** A record that was read: a copy, which outlives its log. */
final class Record
{
    /** @param bool $batchContinues whether the next record belongs to the same batch */
    public function __construct(
        public readonly int $lsn,
        public readonly string $payload,
        public readonly bool $batchContinues,
    ) {
    }
}
