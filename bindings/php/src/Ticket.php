<?php

declare(strict_types=1);

namespace Wal;

/** Records that were submitted and may not be durable yet. */
final class Ticket
{
    use Unclonable;

    /** @internal made by `Log::submit` */
    public function __construct(
        private readonly Log $log,
        public readonly int $firstLsn,
        public readonly int $lastLsn,
    ) {
    }

    /**
     * Waits until the records survive power loss. Returns the last LSN.
     *
     * @param ?int $timeoutMs TimeoutException then, and waiting again is possible; null for as long
     *     as it takes
     */
    public function wait(?int $timeoutMs = null): int
    {
        // Also of a log that was closed meanwhile.
        if (!$this->isDurable()) {
            $this->log->waitDurable($this->lastLsn, $timeoutMs);
        }
        return $this->lastLsn;
    }

    /** Whether they do by now. */
    public function isDurable(): bool
    {
        return ($this->log->durableLsn() ?? 0) >= $this->lastLsn;
    }
}
