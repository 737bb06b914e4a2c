<?php

declare(strict_types=1);

/*
 * Appends records together: after a crash either all of a batch are there or none.
 *
 *     php batch.php /tmp/transfers
 */

require __DIR__ . '/../../bindings/php/autoload.php';

use Wal\Level;
use Wal\Log;

$log = Log::open($argv[1] ?? 'transfers.wal');

// One batch, one call, one acknowledgement: half a transfer can never be read.
$last = $log->appendBatch(['debit alice 10', 'credit bob 10']);
echo 'the transfer is records ', $last - 1, " and $last\n";

// Several batches on their way at once share their syncs. They have their places in the order of
// the calls; the last ticket stands for all before it.
for ($number = 1; $number <= 1000; $number++) {
    $ticket = $log->submitBatch(["debit $number", "credit $number"]);
}
echo "1000 more are durable, up to record {$ticket->wait()}\n";

// One append may ask for less than the log's level, or for more.
$log->append('a note that only has to survive this process', Level::Os);

// Closing makes everything durable, whatever it was appended with.
$log->close();
