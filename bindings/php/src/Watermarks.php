<?php

declare(strict_types=1);

namespace Wal;

/**
 * How far a log is.
 *
 * @internal part of `Log`
 */
trait Watermarks
{
    /** The first record readers see. */
    public function firstLsn(): ?int
    {
        return $this->ffi->wal_first_lsn($this->handle) ?: null;
    }

    /** The last record readers see. */
    public function lastLsn(): ?int
    {
        return $this->ffi->wal_last_lsn($this->handle) ?: null;
    }

    /** The last record that survives power loss. */
    public function durableLsn(): ?int
    {
        return $this->ffi->wal_durable_lsn($this->handle) ?: null;
    }

    /** The last record that survives the death of the process. */
    public function writtenLsn(): ?int
    {
        return $this->ffi->wal_written_lsn($this->handle) ?: null;
    }

    /** The last record handed to the engine. */
    public function submittedLsn(): ?int
    {
        return $this->ffi->wal_submitted_lsn($this->handle) ?: null;
    }

    /** The LSN the next record gets. */
    public function nextLsn(): int
    {
        return $this->ffi->wal_next_lsn($this->handle);
    }
}
