<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * Where the library writes its results.
 *
 * To make them anew for each call costs more than the call, so each object keeps one set. A call
 * takes it away while it runs (`$out = $this->out ?? new Out(..); $this->out = null;`) and puts it
 * back: a signal handler or destructor that calls in between finds none and makes its own.
 *
 * @internal
 */
final class Out
{
    /** What a short record fits into. */
    public const BYTES = 4096;

    public readonly CData $error;
    public readonly CData $number;
    public readonly CData $other;
    public readonly CData $size;
    public readonly CData $count;
    private ?CData $bytes = null;

    public function __construct(private readonly FFI $ffi)
    {
        $this->error = $ffi->new('wal_error[1]');
        $this->error[0]->struct_size = FFI::sizeof($this->error[0]);
        $this->number = $ffi->new('uint64_t[1]');
        $this->other = $ffi->new('uint64_t[1]');
        $this->size = $ffi->new('size_t[1]');
        $this->count = $ffi->new('size_t[1]');
    }

    /** Memory of `BYTES` bytes. */
    public function bytes(): CData
    {
        return $this->bytes ??= $this->ffi->new('uint8_t[' . self::BYTES . ']');
    }

    /** The exception for the call that has just failed. */
    public function failure(?string $path): Exception\WalException
    {
        return Failure::of($this->error[0], $path);
    }
}
