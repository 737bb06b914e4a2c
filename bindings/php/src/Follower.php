<?php

declare(strict_types=1);

namespace Wal;

use FFI\CData;

/**
 * A cursor that waits at the tail. `foreach ($follower as $lsn => $payload)` goes on until the log
 * is closed, with ClosedException. A wait lets signal handlers run, which may close it.
 */
final class Follower extends Reader
{
    private ?int $timeoutMs = null;

    /** @internal made by `Log::follow` */
    public function __construct(Log $log, int|Position|null $from)
    {
        $this->open($log, 'wal_follower', $from, Position::end());
    }

    /**
     * The next record, or null when none came in time.
     *
     * @param ?int $timeoutMs null for as long as it takes, 0 for not at all
     */
    public function next(?int $timeoutMs = null): ?Record
    {
        $this->timeoutMs = $timeoutMs;
        return $this->records(1)[0] ?? null;
    }

    /**
     * Waits for a record, then takes what is there, at most `$count`: payloads by LSN, none when
     * none came in time.
     *
     * @return array<int, string>
     */
    public function readBatch(int $count = 1000, ?int $timeoutMs = null): array
    {
        $this->timeoutMs = $timeoutMs;
        return $this->payloads($count);
    }

    /** @return \Generator<int, string> payloads by LSN, for ever */
    public function getIterator(): \Generator
    {
        return $this->within(null);
    }

    /** @return \Generator<int, string> the same, until none has come for so long */
    public function within(?int $timeoutMs): \Generator
    {
        return $this->loop(fn (int $count): array => $this->readBatch($count, $timeoutMs));
    }

    protected function call(string $verb, mixed ...$arguments): mixed
    {
        return $this->ffi->{"wal_follower_$verb"}($this->handle, ...$arguments);
    }

    protected function readPacked(CData $buffer, int $capacity, int $count, Out $out): int
    {
        return Wait::inSlices($this->timeoutMs, fn (int $slice): int => $this->ffi
            ->wal_follower_read_packed(
                $this->handle,
                $slice,
                $buffer,
                $capacity,
                $count,
                $out->count,
                $out->size,
                $out->error,
            ));
    }
}
