<?php

declare(strict_types=1);

namespace Wal;

/**
 * After a fatal error PHP runs no destructors, but the process of a web server lives on: it would
 * keep the lock of a log nobody can reach any more. Shutdown functions do run.
 *
 * @internal
 */
final class LastResort
{
    private const FATAL = \E_ERROR | \E_PARSE | \E_CORE_ERROR | \E_COMPILE_ERROR | \E_USER_ERROR
        | \E_RECOVERABLE_ERROR;

    /** @var ?\WeakMap<Log, true> */
    private static ?\WeakMap $open = null;

    public static function watch(Log $log): void
    {
        if (self::$open === null) {
            self::$open = new \WeakMap();
            // The program's own shutdown functions come first, and may still append.
            \register_shutdown_function(
                static fn () => \register_shutdown_function(self::closeAfterFatal(...)),
            );
        }
        self::$open[$log] = true;
    }

    private static function closeAfterFatal(): void
    {
        if (((\error_get_last()['type'] ?? 0) & self::FATAL) === 0) {
            return;
        }
        foreach (self::$open as $log => $_) {
            $log->__destruct();
        }
    }
}
