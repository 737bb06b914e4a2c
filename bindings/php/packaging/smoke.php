<?php

declare(strict_types=1);

/* What an unpacked package must do, loaded as Composer would from what composer.json says. */

$package = __DIR__ . '/libwal';
$about = json_decode(file_get_contents("$package/composer.json"), true, 512, JSON_THROW_ON_ERROR);
foreach ($about['autoload']['psr-4'] as $prefix => $directory) {
    $root = "$package/$directory";
    spl_autoload_register(static function (string $class) use ($prefix, $root): void {
        if (str_starts_with($class, $prefix)) {
            require $root . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        }
    });
}

$log = Wal\Log::open($argv[1]);
$before = $log->lastLsn() ?? 0;
$last = $log->appendBatch(['one', "t\0wo", '']);
assert($last === $before + 3);
assert(array_values(iterator_to_array($log->cursor($before + 1))) === ['one', "t\0wo", '']);
$log->close();
assert(Wal\Check::verify($argv[1])->findingsCount === 0);
assert(Wal\Library::version() === $about['version']);
echo 'libwal ', Wal\Library::version(), ": $last records\n";
