<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use Wal\Exception\LibraryException;

/**
 * Finds and loads the shared library.
 *
 * @internal
 */
final class Library
{
    public const SCOPE = 'libwal';
    public const SONAME = 'libwal.so.0';
    public const HEADER = __DIR__ . '/../resources/libwal.h';

    private static ?FFI $ffi = null;

    /** The functions of the library; loaded by the first call. */
    public static function ffi(): FFI
    {
        return self::$ffi ??= self::load();
    }

    /** The version of the library that is used. */
    public static function version(): string
    {
        return self::ffi()->wal_version();
    }

    /**
     * Where the library is looked for, in this order. What the program or the machine says counts
     * alone: a typing mistake there must not end with another library.
     *
     * @return list<string>
     */
    public static function candidates(): array
    {
        $said = \getenv('LIBWAL_LIBRARY');
        if ($said === false || $said === '') {
            $said = \get_cfg_var('libwal.library');
        }
        if (\is_string($said) && $said !== '') {
            return [$said];
        }
        $own = \dirname(__DIR__) . '/lib/' . self::SONAME;
        return \is_file($own) ? [$own, self::SONAME] : [self::SONAME];
    }

    /** What the library has, without the lines that are for `ffi.preload`. */
    public static function declarations(): string
    {
        return \preg_replace('/^#.*\n/m', '', \file_get_contents(self::HEADER));
    }

    private static function load(): FFI
    {
        if (!\extension_loaded('ffi')) {
            throw new LibraryException(
                'this PHP has no FFI: install it (Debian: php-common, Docker: '
                . 'docker-php-ext-install ffi) and see that "extension=ffi" is on',
            );
        }
        try {
            return FFI::scope(self::SCOPE);
        } catch (FFI\Exception) {
            // Nothing was preloaded, as usual on the command line.
        }
        $header = self::declarations();
        $reasons = [];
        foreach (self::candidates() as $library) {
            try {
                return FFI::cdef($header, $library);
            } catch (FFI\Exception $reason) {
                $reasons[] = "$library: {$reason->getMessage()}";
            }
        }
        throw new LibraryException(self::advice() . ' (' . \implode('; ', $reasons) . ')');
    }

    private static function advice(): string
    {
        $enabled = \strtolower((string) \ini_get('ffi.enable'));
        if (\in_array($enabled, ['', '0', 'off', 'no', 'false'], true)) {
            return 'FFI is switched off: set ffi.enable=preload in php.ini, and preload libwal for '
                . 'anything but the command line (README, "PHP-FPM")';
        }
        if ($enabled === 'preload' && \PHP_SAPI !== 'cli') {
            return 'libwal was not preloaded: set ffi.preload to ' . \realpath(self::HEADER)
                . ' and opcache.preload to ' . \dirname(__DIR__)
                . '/preload.php in php.ini (README, "PHP-FPM")';
        }
        return 'the shared library was not found: install libwal (make install, or the system\'s '
            . 'package), or say where it is with the environment variable LIBWAL_LIBRARY or with '
            . 'libwal.library in php.ini';
    }
}
