<?php

declare(strict_types=1);

/*
 * For web servers, in php.ini (the README says more):
 *
 *     ffi.enable = preload
 *     ffi.preload = /path/to/vendor/libwal/libwal/resources/libwal.h
 *     opcache.enable = 1
 *     opcache.preload = /path/to/vendor/libwal/libwal/preload.php
 *     opcache.preload_user = www-data
 *
 * The library is loaded once, before the workers are started. The code of the package may then call
 * it from any request, and all other code may not use FFI. A program with a preload file of its own
 * requires this one from there.
 */

require_once __DIR__ . '/autoload.php';

(static function (): void {
    try {
        FFI::scope(Wal\Library::SCOPE);
    } catch (FFI\Exception) {
        // Without `ffi.preload`, which only a server that root starts cannot do without, from here;
        // the library is then found as the README says.
        $reasons = [];
        foreach (Wal\Library::candidates() as $library) {
            $header = tmpfile();
            fwrite($header, '#define FFI_SCOPE "' . Wal\Library::SCOPE . "\"\n");
            fwrite($header, "#define FFI_LIB \"$library\"\n" . Wal\Library::declarations());
            fflush($header);
            try {
                FFI::load(stream_get_meta_data($header)['uri']);
                $reasons = [];
                break;
            } catch (FFI\Exception $reason) {
                $reasons[] = $reason;
            }
        }
        if ($reasons !== []) {
            throw $reasons[0];
        }
    }
    foreach (['Exception/*.php', '*.php'] as $pattern) {
        foreach (glob(__DIR__ . "/src/$pattern") as $file) {
            $class = substr($file, strlen(__DIR__ . '/src/'), -strlen('.php'));
            // By the autoloader, so that what a class needs comes before it.
            class_exists('Wal\\' . strtr($class, '/', '\\'));
        }
    }
})();
