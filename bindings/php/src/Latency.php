<?php

declare(strict_types=1);

namespace Wal;

use FFI\CData;

/** A latency: how often, how long, in nanoseconds. */
final class Latency
{
    public function __construct(
        public readonly int $count,
        public readonly int $meanNs,
        public readonly int $p50Ns,
        public readonly int $p90Ns,
        public readonly int $p99Ns,
        public readonly int $p999Ns,
        public readonly int $maxNs,
    ) {
    }

    /** @internal */
    public static function of(CData $latency): self
    {
        return new self(
            $latency->count,
            $latency->mean_ns,
            $latency->p50_ns,
            $latency->p90_ns,
            $latency->p99_ns,
            $latency->p999_ns,
            $latency->max_ns,
        );
    }
}
