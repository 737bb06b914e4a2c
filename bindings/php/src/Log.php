<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * An open log: a directory with one append-only sequence of records, numbered by LSNs.
 *
 *     $log = Log::open('orders.wal');
 *     $lsn = $log->append('order 1');          // on stable storage when it returns
 *     foreach ($log->cursor() as $lsn => $payload) { ... }
 *     $log->close();
 *
 * A log that is not closed is closed when nothing refers to it any more; its cursors, followers and
 * tickets do.
 */
final class Log
{
    use Unclonable;
    use Upkeep;
    use Watermarks;

    /** What opening found and did. */
    public readonly Recovery $recovery;
    /** The log's directory. */
    public readonly string $path;

    private ?CData $handle;
    private ?Out $out = null;
    private readonly FFI $ffi;
    private bool $closed = false;

    /**
     * Opens the log in the directory `$path` for writing, and creates it if it is missing.
     *
     * When this returns, everything the log serves survives power loss, whatever happened before.
     */
    public static function open(string $path, ?Options $options = null): self
    {
        return new self($path, $options, false);
    }

    /**
     * Opens the log for reading only, beside a live writer or after a crash. It takes no lock and
     * changes nothing on disk.
     */
    public static function openReadOnly(string $path, ?Options $options = null): self
    {
        return new self($path, $options, true);
    }

    /** Removes the log in the directory `$path`, and the directory if nothing else is in it. */
    public static function destroy(string $path): void
    {
        $out = new Out(Library::ffi());
        if (Library::ffi()->wal_destroy(self::checked($path), $out->error) !== 0) {
            throw $out->failure($path);
        }
    }

    private function __construct(string $path, ?Options $options, bool $readOnly)
    {
        $this->handle = null;
        $this->ffi = $ffi = Library::ffi();
        $this->path = self::checked($path);
        $out = new Out($ffi);
        $native = ($options ?? new Options())->native($ffi);
        $report = Recovery::slot($ffi);
        $handle = $ffi->new('wal_log*[1]');
        $code = $readOnly
            ? $ffi->wal_open_read_only($path, $native, $handle, $report, $out->error)
            : $ffi->wal_open($path, $native, $handle, $report, $out->error);
        if ($code !== 0) {
            throw $out->failure($path);
        }
        $this->handle = $handle[0];
        $this->recovery = Recovery::of($report[0]);
        $this->out = $out;
        LastResort::watch($this);
    }

    /** @internal a path as C takes it */
    public static function checked(string $path): string
    {
        if (\str_contains($path, "\0")) {
            throw Failure::invalid('a path holds a zero byte', $path);
        }
        return $path;
    }

    /**
     * Makes everything durable, at whatever level it was appended, and lets the lock go. Every
     * other call throws ClosedException from then on; closing again does nothing.
     *
     * When this returns, every record that was ever appended survives power loss.
     */
    public function close(): void
    {
        $out = new Out($this->ffi);
        $code = $this->ffi->wal_close($this->handle, $out->error);
        $this->closed = true;
        if ($code !== 0) {
            throw $out->failure($this->path);
        }
    }

    /** Whether `close` was called. */
    public function isClosed(): bool
    {
        return $this->closed;
    }

    public function __destruct()
    {
        if (!isset($this->handle)) {
            return;
        }
        $handle = $this->handle;
        $this->handle = null;
        $closed = $this->closed;
        $this->closed = true;
        $out = new Out($this->ffi);
        $code = $closed ? 0 : $this->ffi->wal_close($handle, $out->error);
        $this->ffi->wal_release($handle);
        // The parent closes its own log. Everything else somebody has to hear of.
        if ($code !== 0 && $code !== Failure::FORKED) {
            $why = $out->failure($this->path)->getMessage();
            \trigger_error("libwal: closing {$this->path}: $why", \E_USER_WARNING);
        }
    }

    /**
     * Appends one record and waits until it is at its level. Returns its LSN.
     *
     * When this returns, the record survives power loss, unless the log or the call has a lower
     * level.
     */
    public function append(string $record, ?Level $level = null): int
    {
        $out = $this->out ?? new Out($this->ffi);
        $this->out = null;
        $number = $out->number;
        if (
            $this->ffi->wal_append(
                $this->handle,
                $record,
                \strlen($record),
                $level === null ? 0 : $level->value,
                $number,
                $out->error,
            ) !== 0
        ) {
            throw $out->failure($this->path);
        }
        $lsn = $number[0];
        $this->out = $out;
        return $lsn;
    }

    /**
     * Appends one record if it gets the LSN `$lsn`; otherwise ConflictException tells the next one.
     * It finds out what became of an append whose outcome was unknown.
     *
     * When this returns, the record is at its level.
     */
    public function appendAt(int $lsn, string $record, ?Level $level = null): void
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_append_at(
            $this->handle,
            $lsn,
            $record,
            \strlen($record),
            $level?->value ?? 0,
            $out->error,
        ), $out);
    }

    /**
     * Appends records as one batch, in one call, and waits until it is at its level. Returns the
     * LSN of the last record; the first is `last - count + 1`.
     *
     * When this returns, all records are at their level; after a crash before that, either all of
     * them are there or none.
     *
     * @param iterable<string> $records
     * @param ?int $timeoutMs how long to wait for room (TimeoutException), 0 for not at all
     *     (WouldBlockException), null for as long as it takes
     * @param ?int $timeNs the commit time to record, for copies and imports
     */
    public function appendBatch(
        iterable $records,
        ?Level $level = null,
        ?int $timeoutMs = null,
        ?int $timeNs = null,
    ): int {
        if ($timeoutMs !== null || $timeNs !== null) {
            return $this->batch('wal_append_batch', $records, $level, $timeoutMs, $timeNs)[1];
        }
        return $this->packed('wal_append_packed', $records, $level)[1];
    }

    /**
     * Hands one record to the engine without waiting for it; `Ticket::wait` does. Any number may be
     * on their way at once, and share their syncs.
     */
    public function submit(string $record, ?Level $level = null): Ticket
    {
        $out = $this->out ?? new Out($this->ffi);
        $this->out = null;
        $code = $this->ffi->wal_submit(
            $this->handle,
            $record,
            \strlen($record),
            $level?->value ?? 0,
            $out->number,
            $out->error,
        );
        $this->must($code, $out);
        $lsn = $out->number[0];
        $this->out = $out;
        return new Ticket($this, $lsn, $lsn);
    }

    /**
     * Hands records to the engine as one batch without waiting for it.
     *
     * @param iterable<string> $records
     */
    public function submitBatch(
        iterable $records,
        ?Level $level = null,
        ?int $timeoutMs = null,
        ?int $timeNs = null,
    ): Ticket {
        [$first, $last] = $timeoutMs !== null || $timeNs !== null
            ? $this->batch('wal_submit_batch', $records, $level, $timeoutMs, $timeNs)
            : $this->packed('wal_submit_packed', $records, $level);
        return new Ticket($this, $first, $last);
    }

    /**
     * Waits until everything up to `$lsn` survives power loss. Returns up to where it does.
     *
     * @param ?int $timeoutMs TimeoutException then; null for as long as it takes
     */
    public function waitDurable(int $lsn, ?int $timeoutMs = null): int
    {
        $out = new Out($this->ffi);
        $this->must(Wait::inSlices($timeoutMs, fn (int $slice): int => $this->ffi
            ->wal_wait_durable($this->handle, $lsn, $slice, $out->number, $out->error)), $out);
        return $out->number[0];
    }

    /**
     * Syncs the log. When this returns, everything appended before survives power loss.
     *
     * @return ?int up to where, null for a log without records
     */
    public function sync(): ?int
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_sync($this->handle, $out->number, $out->error), $out);
        return $out->number[0] ?: null;
    }

    /** The payload of one record. */
    public function read(int $lsn): string
    {
        $out = $this->out ?? new Out($this->ffi);
        $this->out = null;
        $bytes = $out->bytes();
        $size = $out->size;
        $code = $this->ffi
            ->wal_read($this->handle, $lsn, $bytes, Out::BYTES, $size, $out->error);
        if ($code === Failure::FULL) {
            return $this->record($lsn)->payload;
        }
        $this->must($code, $out);
        $payload = FFI::string($bytes, $size[0]);
        $this->out = $out;
        return $payload;
    }

    /** One record with all that is known of it. */
    public function record(int $lsn): Record
    {
        $out = new Out($this->ffi);
        $found = $this->ffi->new('wal_record*[1]');
        $this->must($this->ffi->wal_record_open($this->handle, $lsn, $found, $out->error), $out);
        return Reader::taken($this->ffi, $found[0]);
    }

    /**
     * Up to `$count` records from a position on, payloads by LSN, in one call of the library.
     *
     * @return array<int, string>
     */
    public function readBatch(int|Position|null $from = null, int $count = 1000): array
    {
        return $this->cursor($from)->readBatch($count);
    }

    /** The commit time of a record, in nanoseconds since 1970. */
    public function timeOf(int $lsn): int
    {
        $out = new Out($this->ffi);
        $time = $this->ffi->new('int64_t[1]');
        $this->must($this->ffi->wal_time_of($this->handle, $lsn, $time, $out->error), $out);
        return $time[0];
    }

    /** A cursor; it begins at the first record unless told otherwise. */
    public function cursor(int|Position|null $from = null): Cursor
    {
        return new Cursor($this, $from);
    }

    /** A cursor that waits at the tail; it begins there unless told otherwise. */
    public function follow(int|Position|null $from = null): Follower
    {
        return new Follower($this, $from);
    }

    /**
     * Calls `$callback` with each record in order, until it returns false. Returns the LSN of the
     * last record it was called with.
     *
     * @param callable(Record): mixed $callback
     */
    public function replay(callable $callback, int|Position|null $from = null): ?int
    {
        $last = null;
        $cursor = $this->cursor($from);
        while (($records = $cursor->readRecords(Reader::AHEAD)) !== []) {
            foreach ($records as $record) {
                $last = $record->lsn;
                if ($callback($record) === false) {
                    return $last;
                }
            }
        }
        return $last;
    }

    /** A descriptor that tells of the durable LSN, for event loops. */
    public function notifier(): Notifier
    {
        return new Notifier($this);
    }

    /** The log's small key-value state. */
    public function values(): Values
    {
        return new Values($this);
    }

    /** @internal */
    public function handle(): ?CData
    {
        return $this->handle;
    }

    /** @return array{path: ?string, closed: bool} */
    public function __debugInfo(): array
    {
        return ['path' => $this->path ?? null, 'closed' => $this->closed];
    }

    private function must(int $code, Out $out): void
    {
        if ($code !== 0) {
            throw $out->failure($this->path);
        }
    }

    /**
     * One call for all records.
     *
     * @return array{int, int} first and last LSN
     */
    private function packed(string $function, iterable $records, ?Level $level): array
    {
        $packed = Packed::pack($records);
        $out = $this->out ?? new Out($this->ffi);
        $this->out = null;
        $this->must($this->ffi->$function(
            $this->handle,
            $packed,
            \strlen($packed),
            $level?->value ?? 0,
            $out->number,
            $out->other,
            $out->error,
        ), $out);
        $range = [$out->number[0], $out->other[0]];
        $this->out = $out;
        return $range;
    }

    /**
     * The same with terms that the packed call does not take.
     *
     * @return array{int, int}
     */
    private function batch(
        string $function,
        iterable $records,
        ?Level $level,
        ?int $timeoutMs,
        ?int $timeNs,
    ): array {
        $out = new Out($this->ffi);
        $options = $this->ffi->new('wal_append_options[1]');
        $this->ffi->wal_append_options_init($options, FFI::sizeof($options[0]));
        $options[0]->level = $level?->value ?? 0;
        $options[0]->wait_ms = $timeoutMs ?? -1;
        $options[0]->time_ns = $timeNs ?? -1;
        $slices = new Slices($this->ffi, $records);
        $this->must($this->ffi->$function(
            $this->handle,
            $slices->slices,
            $slices->count,
            $options,
            $out->number,
            $out->other,
            $out->error,
        ), $out);
        return [$out->number[0], $out->other[0]];
    }
}
