<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;
use Wal\Exception\WalException;

/**
 * From the codes of the library to exceptions.
 *
 * @internal
 */
final class Failure
{
    public const INVALID = -1;
    public const NOT_FOUND = -2;
    public const FULL = -8;
    public const TIMEOUT = -9;
    public const POISONED = -11;
    public const FORKED = -15;

    private const CLASSES = [
        -1 => Exception\InvalidException::class,
        -2 => Exception\NotFoundException::class,
        -3 => Exception\TrimmedException::class,
        -4 => Exception\TruncatedException::class,
        -5 => Exception\ConflictException::class,
        -6 => Exception\ClosedException::class,
        -7 => Exception\LockedException::class,
        -8 => Exception\FullException::class,
        -9 => Exception\TimeoutException::class,
        -10 => Exception\WouldBlockException::class,
        -11 => Exception\PoisonedException::class,
        -12 => Exception\IoException::class,
        -13 => Exception\CorruptException::class,
        -14 => Exception\UnsupportedException::class,
        -15 => Exception\ForkedException::class,
        // A panic inside the library is a bug in it as well.
        -16 => Exception\InternalException::class,
        -17 => Exception\InternalException::class,
    ];

    /** The class of a code; a newer library may have codes this package does not know. */
    public static function classOf(int $code): string
    {
        return self::CLASSES[$code] ?? Exception\InternalException::class;
    }

    /** The exception for a failed call, from the `wal_error` it has filled. */
    public static function of(CData $error, ?string $path): WalException
    {
        $class = self::classOf($error->code);
        $segment = $error->segment ?: null;
        return new $class(
            FFI::string($error->message),
            $error->code,
            $error->lsn ?: null,
            $segment,
            $segment === null ? null : $error->offset,
            $path,
            $error->os_errno ?: null,
        );
    }

    /** For an item of a list: PHP checks the types of arguments, not of what is in them. */
    public static function type(mixed $item): \TypeError
    {
        $type = \get_debug_type($item);
        return new \TypeError("every item must be of type string, $type given");
    }

    /** For what is found wrong before the library is called. */
    public static function invalid(string $message, ?string $path = null): WalException
    {
        return new Exception\InvalidException("invalid: $message", self::INVALID, path: $path);
    }
}
