<?php

declare(strict_types=1);

/*
 * What the same work costs in PHP: `wal-bench languages` asks (see bench/README.md).
 */

require __DIR__ . '/../autoload.php';
require __DIR__ . '/asked.php';

use Wal\Level;
use Wal\Log;
use Wal\Options;

$record = str_repeat('r', 100);
$batch = array_fill(0, BATCH, $record);

/**
 * Bursts that fit into memory: what the disk does in between is not counted.
 *
 * @param Closure(): void $burst
 */
function bursts(Log $log, Closure $burst): string
{
    $taken = 0;
    for ($n = 0; $n < BURSTS; $n++) {
        $started = hrtime(true);
        $burst();
        $taken += hrtime(true) - $started;
        $log->sync();
    }
    return BURSTS * BURST . " $taken";
}

$workloads = [
    'append' => fn (Log $log) => bursts($log, function () use ($log, $record): void {
        for ($n = 0; $n < BURST; $n++) {
            $log->append($record);
        }
    }),
    // It is packed by the package: a packed batch of the user's own would be the same.
    'batch' => fn (Log $log) => bursts($log, function () use ($log, $batch): void {
        for ($n = 0; $n < BURST / BATCH; $n++) {
            $log->appendBatch($batch);
        }
    }),
    'read' => function (Log $log) use ($batch): string {
        for ($n = 0; $n < READ / BATCH; $n++) {
            $log->appendBatch($batch);
        }
        $log->sync();
        return timed(PASSES * READ, function () use ($log): int {
            $records = 0;
            for ($pass = 0; $pass < PASSES; $pass++) {
                $cursor = $log->cursor();
                while (($found = $cursor->readBatch(BATCH)) !== []) {
                    $records += count($found);
                }
            }
            return $records;
        });
    },
    'os' => fn (Log $log) => timed(OS, function () use ($log, $record): int {
        for ($n = 0; $n < OS; $n++) {
            $log->append($record, Level::Os);
        }
        return OS;
    }),
    'durable' => fn (Log $log) => timed(DURABLE, function () use ($log, $record): int {
        for ($n = 0; $n < DURABLE; $n++) {
            $log->append($record, Level::Disk);
        }
        return DURABLE;
    }),
    'durable-batch' => fn (Log $log) => timed(
        DURABLE_BATCHES * BATCH,
        function () use ($log, $batch): int {
            for ($n = 0; $n < DURABLE_BATCHES; $n++) {
                $log->appendBatch($batch, Level::Disk);
            }
            return DURABLE_BATCHES * BATCH;
        },
    ),
    'async' => fn (Log $log) => timed(ASYNC, function () use ($log, $record): int {
        $tickets = [];
        for ($n = 0; $n < ASYNC; $n++) {
            if ($n >= IN_FLIGHT) {
                $tickets[$n % IN_FLIGHT]->wait();
            }
            $tickets[$n % IN_FLIGHT] = $log->submit($record, Level::Disk);
        }
        foreach ($tickets as $ticket) {
            $ticket->wait();
        }
        return ASYNC;
    }),
];

serve(function (string $workload, string $directory) use ($workloads): ?string {
    if (!isset($workloads[$workload])) {
        return null;
    }
    $log = Log::open($directory, new Options(level: Level::Buffered));
    $answer = $workloads[$workload]($log);
    $log->close();
    return $answer;
});
