<?php

declare(strict_types=1);

/*
 * What the same work costs in PHP: `wal-bench languages` asks (see bench/README.md).
 *
 * Reads lines `WORKLOAD DIRECTORY`, answers with `RECORDS NANOSECONDS` or `none`.
 */

require __DIR__ . '/../autoload.php';

use Wal\Level;
use Wal\Log;
use Wal\Options;

const BATCH = 1000;
const BURST = 20_000;
const BURSTS = 20;
const READ = 100_000;
const PASSES = 3;
const DURABLE = 300;
const ASYNC = 40_000;
const IN_FLIGHT = 256;

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

/** @param Closure(): int $work */
function timed(int $records, Closure $work): string
{
    $started = hrtime(true);
    $found = $work();
    $taken = hrtime(true) - $started;
    if ($found !== $records) {
        throw new RuntimeException("$found of $records records");
    }
    return "$records $taken";
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
    'durable' => fn (Log $log) => timed(DURABLE, function () use ($log, $record): int {
        for ($n = 0; $n < DURABLE; $n++) {
            $log->append($record, Level::Disk);
        }
        return DURABLE;
    }),
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

while (($line = fgets(STDIN)) !== false) {
    [$workload, $directory] = explode(' ', rtrim($line, "\n"), 2);
    if (!isset($workloads[$workload])) {
        echo "none\n";
        continue;
    }
    $log = Log::open($directory, new Options(level: Level::Buffered));
    $answer = $workloads[$workload]($log);
    $log->close();
    echo "$answer\n";
}
