<?php

declare(strict_types=1);

/*
 * Follows a log while another process writes it.
 *
 *     php follow.php /tmp/events
 */

require __DIR__ . '/../../bindings/php/autoload.php';

use Wal\Log;

$path = $argv[1] ?? 'events.wal';

if (($argv[2] ?? '') === 'write') {
    $log = Log::open($path);
    for ($number = 1; $number <= 5; $number++) {
        $log->append("event $number");
        usleep(100_000);
    }
    $log->close();
    exit;
}

// The log is there before somebody reads it.
$log = Log::open($path);
$next = $log->nextLsn();
$log->close();

$writer = proc_open([PHP_BINARY, __FILE__, $path, 'write'], [], $pipes);

// A reader needs no lock.
$follower = Log::openReadOnly($path)->follow($next);
foreach ($follower as $lsn => $payload) {
    echo "$lsn: $payload\n";
    if ($lsn === $next + 4) {
        break;
    }
}
assert(proc_close($writer) === 0);
