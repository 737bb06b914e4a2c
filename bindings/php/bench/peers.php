<?php

declare(strict_types=1);

/*
 * What users of PHP would otherwise take, asked for the same work as measure.php: SQLite in WAL
 * mode. With synchronous=FULL each commit is synced, with NORMAL it survives the process alone.
 */

require __DIR__ . '/asked.php';

function database(string $directory, int $synchronous): SQLite3
{
    mkdir($directory);
    $database = new SQLite3("$directory/db");
    $database->enableExceptions(true);
    $mode = $database->querySingle('PRAGMA journal_mode=WAL');
    $database->exec("PRAGMA synchronous=$synchronous");
    if ($mode !== 'wal' || $database->querySingle('PRAGMA synchronous') !== $synchronous) {
        throw new RuntimeException('SQLite does not sync as it was told');
    }
    $database->exec('CREATE TABLE log (lsn INTEGER PRIMARY KEY, record BLOB NOT NULL)');
    return $database;
}

/** Commits so many transactions of so many records. */
function commit(SQLite3 $database, int $commits, int $records): int
{
    $insert = $database->prepare('INSERT INTO log (record) VALUES (?)');
    $insert->bindValue(1, str_repeat('r', 100), SQLITE3_BLOB);
    for ($commit = 0; $commit < $commits; $commit++) {
        if ($records > 1) {
            $database->exec('BEGIN');
        }
        for ($record = 0; $record < $records; $record++) {
            $insert->execute();
            $insert->reset();
        }
        if ($records > 1) {
            $database->exec('COMMIT');
        }
    }
    return $commits * $records;
}

function read(SQLite3 $database): int
{
    $records = 0;
    for ($pass = 0; $pass < PASSES; $pass++) {
        $rows = $database->query('SELECT lsn, record FROM log ORDER BY lsn');
        while ($rows->fetchArray(SQLITE3_NUM) !== false) {
            $records++;
        }
    }
    return $records;
}

const NORMAL = 1;
const FULL = 2;
$workloads = [
    'os' => [NORMAL, fn (SQLite3 $db) => timed(OS, fn () => commit($db, OS, 1))],
    'durable' => [FULL, fn (SQLite3 $db) => timed(DURABLE, fn () => commit($db, DURABLE, 1))],
    'durable-batch' => [FULL, fn (SQLite3 $db) => timed(
        DURABLE_BATCHES * BATCH,
        fn () => commit($db, DURABLE_BATCHES, BATCH),
    )],
    'read' => [NORMAL, function (SQLite3 $db): string {
        commit($db, intdiv(READ, BATCH), BATCH);
        return timed(PASSES * READ, fn () => read($db));
    }],
];

serve(function (string $workload, string $directory) use ($workloads): ?string {
    if (!isset($workloads[$workload])) {
        return null;
    }
    [$synchronous, $work] = $workloads[$workload];
    $database = database($directory, $synchronous);
    try {
        return $work($database);
    } finally {
        $database->close();
    }
});
