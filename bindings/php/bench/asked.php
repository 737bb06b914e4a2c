<?php

declare(strict_types=1);

/*
 * How `wal-bench languages` asks, and the size of what it asks for (see bench/README.md): lines
 * `WORKLOAD DIRECTORY`, answered with `RECORDS NANOSECONDS` or `none`.
 */

const BATCH = 1000;
const BURST = 20_000;
const BURSTS = 20;
const READ = 100_000;
const PASSES = 3;
const OS = 20_000;
const DURABLE = 300;
const DURABLE_BATCHES = 50;
const ASYNC = 40_000;
const IN_FLIGHT = 256;

/** @param Closure(): int $work how many records it was about */
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

/** @param Closure(string, string): ?string $measured */
function serve(Closure $measured): void
{
    while (($line = fgets(STDIN)) !== false) {
        [$workload, $directory] = explode(' ', rtrim($line, "\n"), 2);
        echo $measured($workload, $directory) ?? 'none', "\n";
    }
}
