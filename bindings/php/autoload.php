<?php

declare(strict_types=1);

/** Finds the classes of the package where Composer does not. */
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Wal\\')) {
        $file = __DIR__ . '/src/' . strtr(substr($class, strlen('Wal\\')), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
