<?php

declare(strict_types=1);

/*
 * Appends records that survive power loss, one by one, and reads them back.
 *
 *     php append.php /tmp/orders
 */

require __DIR__ . '/../../bindings/php/autoload.php'; // vendor/autoload.php, with Composer

use Wal\Log;

$path = $argv[1] ?? 'orders.wal';

$log = Log::open($path);
echo "opened $path: {$log->recovery->message}\n";

for ($number = 1; $number <= 3; $number++) {
    // When this returns, the record survives power loss: that is the default.
    $lsn = $log->append("order $number");
    echo "order $number is record $lsn\n";
}

foreach ($log->cursor() as $lsn => $payload) {
    echo "$lsn: $payload\n";
}
$log->close();
