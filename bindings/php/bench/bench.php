<?php

declare(strict_types=1);

/*
 * Measures the package beside the same calls from C, and beside SQLite at equal durability (WAL
 * mode, synchronous=FULL: a commit is on stable storage when it returns).
 *
 *     php bench.php --floor=PROGRAM [--dir=DIR] [--json=FILE] [--full]
 *
 * Figures are nanoseconds for each record of 100 bytes. Rounds are interleaved: each takes every
 * workload once, in an order of its own, and the median of the rounds counts, because a disk
 * differs more between moments than programs do.
 */

require __DIR__ . '/../autoload.php';

use Wal\Level;
use Wal\Log;
use Wal\Options;
use Wal\Packed;

const BATCH = 1000;

final class Bench
{
    private readonly string $record;
    /** @var list<string> */
    private readonly array $batch;
    /** @var array<string, list<float>> */
    private array $spans = [];
    private int $places = 0;

    public function __construct(
        private readonly string $directory,
        private readonly string $floor,
        private readonly int $rounds,
        private readonly int $milliseconds,
    ) {
        $this->record = str_repeat('x', 100);
        $this->batch = array_fill(0, BATCH, $this->record);
    }

    /** @return array<string, array{median: float, runs: list<float>}> */
    public function run(): array
    {
        $workloads = $this->workloads();
        for ($round = 0; $round < $this->rounds; $round++) {
            $names = array_keys($workloads);
            shuffle($names);
            foreach ($names as $name) {
                $this->spans[$name][] = $workloads[$name]();
            }
        }
        $results = [];
        foreach (array_keys($workloads) as $name) {
            $runs = $this->spans[$name];
            sort($runs);
            $median = $runs[intdiv(count($runs), 2)];
            printf("%-52s %12.1f ns %12d/s\n", $name, $median, 1e9 / $median);
            $results[$name] = [
                'median' => $median,
                'runs' => array_map(fn ($run) => round($run, 1), $runs),
            ];
        }
        return $results;
    }

    /** @return array<string, Closure(): float> each returns nanoseconds for a record */
    private function workloads(): array
    {
        $workloads = [];
        $workloads['libwal, PHP: packing a batch of 1000'] = fn () => $this->timed(
            fn (): int => \strlen(Packed::pack($this->batch)) > 0 ? BATCH : 0,
        );
        foreach (['buffered' => Level::Buffered, 'disk' => Level::Disk] as $name => $level) {
            foreach (['append' => 'single', 'batch of 1000' => 'batch'] as $label => $kind) {
                $workloads["libwal, C: $label, $name"] = fn () => $this->fromC($kind, $name);
                $workloads["libwal, PHP: $label, $name"] = fn () => $this->fromPhp($kind, $level);
            }
        }
        foreach (['append' => 1, 'batch of 1000' => BATCH] as $label => $count) {
            $workloads["SQLite, PHP: $label, disk"] = fn () => $this->sqlite($count);
        }
        $reads = [
            'loop over a cursor' => fn (Log $log) => iterator_count($log->cursor()->getIterator()),
            'readBatch of 1000' => function (Log $log): int {
                $cursor = $log->cursor();
                $records = 0;
                do {
                    $count = count($cursor->readBatch(BATCH));
                    $records += $count;
                } while ($count > 0);
                return $records;
            },
            'read by LSN' => function (Log $log): int {
                for ($lsn = 1; $lsn <= BATCH; $lsn++) {
                    $log->read($lsn);
                }
                return BATCH;
            },
        ];
        foreach ($reads as $label => $read) {
            $workloads["libwal, PHP: $label"] = fn () => $this->reading($read);
        }
        $workloads['SQLite, PHP: select of everything'] = $this->selecting(...);
        return $workloads;
    }

    /** Repeats the work for the time of a run; it returns how many records it has handled. */
    private function timed(Closure $work): float
    {
        $records = 0;
        $started = hrtime(true);
        do {
            $records += $work();
            $span = hrtime(true) - $started;
        } while ($span < $this->milliseconds * 1_000_000);
        return $span / $records;
    }

    private function place(): string
    {
        return $this->directory . '/' . ++$this->places;
    }

    private function fromC(string $kind, string $level): float
    {
        $command = [$this->floor, $this->place(), $kind, $level, (string) $this->milliseconds];
        $output = shell_exec(implode(' ', array_map(escapeshellarg(...), $command)));
        if (!is_numeric(trim((string) $output))) {
            exit("{$this->floor} failed\n");
        }
        return (float) $output;
    }

    private function fromPhp(string $kind, Level $level): float
    {
        $log = Log::open($this->place());
        [$record, $batch] = [$this->record, $this->batch];
        // As C does: the clock is asked once for 1000 records, or for each sync.
        $singles = $level === Level::Disk ? 1 : BATCH;
        return $this->timed($kind === 'batch' ? static function () use ($log, $batch, $level): int {
            $log->appendBatch($batch, $level);
            return BATCH;
        } : static function () use ($log, $record, $level, $singles): int {
            for ($count = 0; $count < $singles; $count++) {
                $log->append($record, $level);
            }
            return $singles;
        });
    }

    private function sqlite(int $count): float
    {
        $database = $this->database();
        $insert = $database->prepare('INSERT INTO log (record) VALUES (?)');
        $insert->bindValue(1, $this->record, SQLITE3_BLOB);
        return $this->timed(static function () use ($database, $insert, $count): int {
            if ($count > 1) {
                $database->exec('BEGIN');
            }
            for ($number = 0; $number < $count; $number++) {
                $insert->execute();
                $insert->reset();
            }
            if ($count > 1) {
                $database->exec('COMMIT');
            }
            return $count;
        });
    }

    private function database(): SQLite3
    {
        $database = new SQLite3($this->place());
        $database->enableExceptions(true);
        $mode = $database->querySingle('PRAGMA journal_mode=WAL');
        $database->exec('PRAGMA synchronous=FULL');
        if ($mode !== 'wal' || $database->querySingle('PRAGMA synchronous') !== 2) {
            exit("SQLite does not sync as it was told\n");
        }
        $database->exec('CREATE TABLE log (lsn INTEGER PRIMARY KEY, record BLOB)');
        return $database;
    }

    private function reading(Closure $read): float
    {
        $log = Log::open($this->place(), new Options(level: Level::Os));
        for ($batches = 0; $batches < 20; $batches++) {
            $log->appendBatch($this->batch);
        }
        return $this->timed(static fn (): int => $read($log));
    }

    private function selecting(): float
    {
        $database = $this->database();
        $insert = $database->prepare('INSERT INTO log (record) VALUES (?)');
        $insert->bindValue(1, $this->record, SQLITE3_BLOB);
        $database->exec('BEGIN');
        for ($number = 0; $number < 20 * BATCH; $number++) {
            $insert->execute();
            $insert->reset();
        }
        $database->exec('COMMIT');
        return $this->timed(static function () use ($database): int {
            $rows = $database->query('SELECT lsn, record FROM log ORDER BY lsn');
            for ($count = 0; ($rows->fetchArray(SQLITE3_NUM)) !== false; $count++);
            return $count;
        });
    }
}

$given = getopt('', ['floor:', 'dir:', 'json:', 'full']);
if (!isset($given['floor'])) {
    exit("usage: bench.php --floor=PROGRAM [--dir=DIR] [--json=FILE] [--full]\n");
}
$directory = ($given['dir'] ?? '.') . '/bench-' . bin2hex(random_bytes(6));
mkdir($directory);
register_shutdown_function(fn () => exec('rm -rf ' . escapeshellarg($directory)));
$full = isset($given['full']);
$results = (new Bench($directory, $given['floor'], $full ? 15 : 5, $full ? 1000 : 250))->run();
if (isset($given['json'])) {
    $about = ['language' => 'php', 'php' => PHP_VERSION, 'libwal' => Wal\Library::version(),
        'sqlite' => SQLite3::version()['versionString'], 'record_bytes' => 100];
    $text = json_encode($about + ['results' => $results], JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR);
    file_put_contents($given['json'], "$text\n");
}
