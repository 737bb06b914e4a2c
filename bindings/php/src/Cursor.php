<?php

declare(strict_types=1);

namespace Wal;

use FFI\CData;

/** A position between two records. `foreach ($cursor as $lsn => $payload)` reads to the end. */
final class Cursor extends Reader
{
    /** @internal made by `Log::cursor` */
    public function __construct(Log $log, int|Position|null $from)
    {
        $this->open($log, 'wal_cursor', $from, Position::first());
    }

    /** The record after the position, which moves behind it; null at the end. */
    public function next(): ?Record
    {
        return $this->step('next');
    }

    /** The record before the position, which moves in front of it; null at the beginning. */
    public function prev(): ?Record
    {
        return $this->step('prev');
    }

    /**
     * The next records, at most `$count`, in one call of the library: payloads by LSN. Fewer come
     * when they are large; none at the end.
     *
     * @return array<int, string>
     */
    public function readBatch(int $count = 1000): array
    {
        return $this->payloads($count);
    }

    /**
     * The same with all that is known of the records.
     *
     * @return list<Record>
     */
    public function readRecords(int $count = 1000): array
    {
        return $this->records($count);
    }

    /** The commit time of the record last returned, in nanoseconds since 1970. */
    public function time(): int
    {
        $this->settle();
        $out = new Out($this->ffi);
        $time = $this->ffi->new('int64_t[1]');
        $this->must($this->ffi->wal_cursor_time($this->handle, $time, $out->error), $out);
        return $time[0];
    }

    /** @return \Generator<int, string> payloads by LSN, from the position to the end */
    public function getIterator(): \Generator
    {
        return $this->loop($this->payloads(...));
    }

    /** @return \Generator<int, string> payloads by LSN, from the position back to the first */
    public function backwards(): \Generator
    {
        while (($record = $this->prev()) !== null) {
            yield $record->lsn => $record->payload;
        }
    }

    protected function call(string $verb, mixed ...$arguments): mixed
    {
        return $this->ffi->{"wal_cursor_$verb"}($this->handle, ...$arguments);
    }

    protected function readPacked(CData $buffer, int $capacity, int $count, Out $out): int
    {
        return $this->ffi->wal_cursor_read_packed(
            $this->handle,
            $buffer,
            $capacity,
            $count,
            $out->count,
            $out->size,
            $out->error,
        );
    }

    private function step(string $verb): ?Record
    {
        $this->settle();
        $out = new Out($this->ffi);
        $found = $this->ffi->new('wal_record*[1]');
        $this->must($this->call($verb, $found, $out->error), $out);
        return $found[0] === null ? null : self::taken($this->ffi, $found[0]);
    }
}
