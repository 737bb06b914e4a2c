<?php

declare(strict_types=1);

/*
 * Kills a writer in the middle of its work and shows that nothing acknowledged is lost.
 *
 * The program starts itself a second time; that process appends numbers and prints each one after
 * it was acknowledged, until it is killed.
 *
 *     php recover.php /tmp/numbers
 */

require __DIR__ . '/../../bindings/php/autoload.php';

use Wal\Log;

$path = $argv[1] ?? 'numbers.wal';

if (($argv[2] ?? '') === 'write') {
    $log = Log::open($path);
    while (true) {
        // Record n is the number n.
        fwrite(STDOUT, $log->append((string) $log->nextLsn()) . "\n");
    }
}

$writer = proc_open([PHP_BINARY, __FILE__, $path, 'write'], [1 => ['pipe', 'w']], $pipes);
$acknowledged = 0;
while (($line = fgets($pipes[1])) !== false) {
    $acknowledged = (int) $line;
    if ($acknowledged % 500 === 0) {
        // SIGKILL: the process has no chance to tidy up. What it still printed is read on.
        proc_terminate($writer, 9);
    }
}
proc_close($writer);

$log = Log::open($path);
printf("recovered in %.1f ms: %s\n", $log->recovery->durationNs / 1e6, $log->recovery->message);
$found = 0;
foreach ($log->cursor() as $lsn => $payload) {
    if ($payload !== (string) $lsn) {
        exit("record $lsn is wrong\n");
    }
    $found = $lsn;
}
if ($acknowledged === 0 || $found < $acknowledged) {
    exit("$acknowledged records were acknowledged, $found are there\n");
}
echo "all $acknowledged acknowledged records are there, the next LSN is {$log->nextLsn()}\n";
