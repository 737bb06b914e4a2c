<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * A few small facts that belong to a log and survive with it: how far a consumer is, a vote, a
 * term. Keys are 1 to 255 bytes, values up to 4 KiB, everything together up to 128 KiB.
 *
 * When a change returns, it survives power loss; each costs one sync.
 *
 * @implements \IteratorAggregate<string, string>
 */
final class Values implements \IteratorAggregate, \Countable
{
    use Unclonable;

    private readonly FFI $ffi;

    /** @internal made by `Log::values` */
    public function __construct(private readonly Log $log)
    {
        $this->ffi = Library::ffi();
    }

    /** The value of a key, null if there is none. */
    public function get(string $key): ?string
    {
        $out = new Out($this->ffi);
        $code = $this->ffi->wal_value_read(
            $this->log->handle(),
            $key,
            \strlen($key),
            $out->bytes(),
            Out::BYTES,
            $out->size,
            $out->error,
        );
        if ($code === Failure::NOT_FOUND) {
            return null;
        }
        $this->must($code, $out);
        return FFI::string($out->bytes(), $out->size[0]);
    }

    public function set(string $key, string $value): void
    {
        $out = new Out($this->ffi);
        $this->must($this->ffi->wal_value_set(
            $this->log->handle(),
            $key,
            \strlen($key),
            $value,
            \strlen($value),
            $out->error,
        ), $out);
    }

    /** Deletes a key. Returns whether it was there. */
    public function delete(string $key): bool
    {
        $out = new Out($this->ffi);
        $existed = $this->ffi->new('int32_t[1]');
        $this->must($this->ffi->wal_value_delete(
            $this->log->handle(),
            $key,
            \strlen($key),
            $existed,
            $out->error,
        ), $out);
        return $existed[0] !== 0;
    }

    /**
     * Sets several keys, and deletes those whose value is null: after a crash all of it is there or
     * nothing.
     *
     * @param iterable<string, ?string> $changes
     */
    public function update(iterable $changes): void
    {
        $removed = $strings = [];
        foreach ($changes as $key => $value) {
            // PHP makes a number of a key that looks like one.
            $strings[] = (string) $key;
            $strings[] = $value ?? '';
            $removed[] = $value === null;
        }
        $slices = new Slices($this->ffi, $strings);
        $count = \count($removed);
        $native = $this->ffi->new('wal_value_change[' . \max(1, $count) . ']');
        foreach ($removed as $number => $isRemoved) {
            $native[$number]->key = $slices->slices[2 * $number];
            $native[$number]->value = $slices->slices[2 * $number + 1];
            $native[$number]->remove = (int) $isRemoved;
        }
        $out = new Out($this->ffi);
        $this->must($this->ffi
            ->wal_value_update($this->log->handle(), $native, $count, $out->error), $out);
    }

    /** @return \Generator<string, string> values by key, in the order of the keys */
    public function getIterator(): \Generator
    {
        foreach ($this->entries() as [$key, $value]) {
            yield $key => $value;
        }
    }

    public function count(): int
    {
        return \count($this->entries());
    }

    /** @return list<array{string, string}> */
    private function entries(): array
    {
        $out = new Out($this->ffi);
        return Collector::run('wal_value_fn', fn (CData $collect) => $this->must($this->ffi
            ->wal_value_list($this->log->handle(), $collect, null, $out->error), $out));
    }

    private function must(int $code, Out $out): void
    {
        if ($code !== 0) {
            throw $out->failure($this->log->path);
        }
    }
}
