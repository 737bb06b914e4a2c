<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * What cursors and followers have in common: a position, and reading many records in one call.
 *
 * @internal
 * @implements \IteratorAggregate<int, string>
 */
abstract class Reader implements \IteratorAggregate
{
    use Unclonable;

    /** How many records a loop reads ahead. */
    public const AHEAD = 256;
    private const BUFFER_BYTES = 1 << 16;

    protected readonly FFI $ffi;
    protected readonly Log $log;
    protected ?CData $handle = null;
    private ?CData $buffer = null;
    private int $capacity = self::BUFFER_BYTES;
    /** The record a loop was given last, while the position is further on. */
    private ?int $given = null;

    /** The library's function of this name, for this kind of reader. */
    abstract protected function call(string $verb, mixed ...$arguments): mixed;

    abstract protected function readPacked(CData $buffer, int $capacity, int $count, Out $out): int;

    /**
     * The next records, at most `$count`, payloads by LSN; empty when there are none. As many as a
     * piece of memory holds come in one call, at least one.
     *
     * @return array<int, string>
     */
    protected function payloads(int $count): array
    {
        [$used, $found] = $this->fill($count);
        return $found === 0 ? [] : Packed::payloads($this->buffer, $used, $found);
    }

    /**
     * The same with all that is known of the records.
     *
     * @return list<Record>
     */
    protected function records(int $count): array
    {
        [$used, $found] = $this->fill($count);
        return $found === 0 ? [] : Packed::records($this->buffer, $used, $found);
    }

    /** Moves to another position. */
    public function seek(int|Position $to): void
    {
        $to = \is_int($to) ? Position::lsn($to) : $to;
        $out = new Out($this->ffi);
        $this->must($this->call('seek', $to->from, $to->at, $out->error), $out);
        $this->given = null;
    }

    /** The LSN that comes next, if it is there. */
    public function nextLsn(): int
    {
        $this->settle();
        return $this->call('next_lsn');
    }

    public function __destruct()
    {
        if (isset($this->handle)) {
            $handle = $this->handle;
            $this->call('release');
            $this->handle = null;
        }
    }

    /** @return array{log: ?Log} */
    public function __debugInfo(): array
    {
        return ['log' => $this->log ?? null];
    }

    /** @internal the record, which is released */
    public static function taken(FFI $ffi, CData $record): Record
    {
        $length = $ffi->wal_record_len($record);
        $flags = $ffi->wal_record_flags($record);
        $payload = $length === 0 ? '' : FFI::string($ffi->wal_record_data($record), $length);
        $found = new Record($ffi->wal_record_lsn($record), $payload, Packed::continues($flags));
        $ffi->wal_record_release($record);
        return $found;
    }

    /** Opens the library's object of this kind. */
    protected function open(Log $log, string $type, int|Position|null $from, Position $unless): void
    {
        $this->log = $log;
        $this->ffi = Library::ffi();
        $from = \is_int($from) ? Position::lsn($from) : $from ?? $unless;
        $out = new Out($this->ffi);
        $slot = $this->ffi->new("{$type}*[1]");
        $function = "{$type}_open";
        $this->must($this->ffi
            ->$function($log->handle(), $from->from, $from->at, $slot, $out->error), $out);
        $this->handle = $slot[0];
    }

    /**
     * A loop over what comes next. It reads ahead; whoever moves the reader meanwhile, or leaves
     * the loop, finds it behind the record that the loop was given last.
     *
     * @param \Closure(int): array<int, string> $read
     * @return \Generator<int, string>
     */
    protected function loop(\Closure $read): \Generator
    {
        while (($payloads = $read(self::AHEAD)) !== []) {
            $last = \array_key_last($payloads);
            foreach ($payloads as $lsn => $payload) {
                if ($lsn === $last) {
                    $this->given = null;
                    yield $lsn => $payload;
                    break;
                }
                $this->given = $lsn;
                yield $lsn => $payload;
                if ($this->given !== $lsn) {
                    break;
                }
            }
        }
    }

    /** Puts the position behind the record that a loop was given last. */
    protected function settle(): void
    {
        if ($this->given === null) {
            return;
        }
        $lsn = $this->given;
        $this->seek($lsn);
        $out = new Out($this->ffi);
        $this->must($this->readPackedOnce(1, $out), $out);
    }

    protected function must(int $code, Out $out): void
    {
        if ($code !== 0) {
            throw $out->failure($this->log->path);
        }
    }

    /** @return array{int, int} bytes used, records read */
    private function fill(int $count): array
    {
        if ($count < 1) {
            throw Failure::invalid(
                "a batch of $count records: ask for 1 or more",
                $this->log->path,
            );
        }
        $this->settle();
        $out = new Out($this->ffi);
        $code = $this->readPackedOnce($count, $out);
        if ($code === Failure::TIMEOUT) {
            return [0, 0];
        }
        $this->must($code, $out);
        return [$out->size[0], $out->count[0]];
    }

    /** Reads into memory that is large enough for one record at least. */
    private function readPackedOnce(int $count, Out $out): int
    {
        while (true) {
            $this->buffer ??= $this->ffi->new('uint32_t[' . ($this->capacity >> 2) . ']');
            $code = $this->readPacked($this->buffer, $this->capacity, $count, $out);
            if ($code !== Failure::FULL) {
                return $code;
            }
            $this->capacity = ($out->size[0] + self::BUFFER_BYTES + 7) & ~7;
            $this->buffer = null;
        }
    }
}
