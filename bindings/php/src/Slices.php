<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * Strings as an array of `wal_slice`, in memory that lives as long as this object.
 *
 * @internal
 */
final class Slices
{
    public readonly CData $slices;
    public readonly int $count;
    private readonly CData $bytes;

    /** @param iterable<string> $strings */
    public function __construct(FFI $ffi, iterable $strings)
    {
        $strings = \is_array($strings)
            ? \array_values($strings)
            : \iterator_to_array($strings, false);
        $lengths = [];
        foreach ($strings as $string) {
            $lengths[] = \is_string($string) ? \strlen($string) : throw Failure::type($string);
        }
        $this->count = \count($strings);
        // C has no arrays of nothing.
        $this->bytes = $ffi->new('char[' . \max(1, \array_sum($lengths)) . ']');
        $this->slices = $ffi->new('wal_slice[' . \max(1, $this->count) . ']');
        $at = $ffi->cast('char*', $this->bytes);
        foreach ($strings as $number => $string) {
            $slice = $this->slices[$number];
            $slice->data = $at;
            $slice->len = $lengths[$number];
            if ($string !== '') {
                FFI::memcpy($at, $string, $lengths[$number]);
                $at += $lengths[$number];
            }
        }
    }
}
