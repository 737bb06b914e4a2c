<?php

declare(strict_types=1);

use Wal\AtCapacity;
use Wal\Check;
use Wal\Exception\TimeoutException;
use Wal\Exception\WalException;
use Wal\Io;
use Wal\Log;
use Wal\Options;
use Wal\ReadMode;
use Wal\Record;
use Wal\RecoveryCase;

/** Takes a scenario line by line, through the package as its users have it. */
final class Session
{
    private const COUNTS = ['sync_every_ms', 'sync_bytes', 'segment_bytes', 'record_bytes_max',
        'batch_bytes_max', 'ring_bytes', 'max_batch_delay_us', 'max_batch_bytes', 'max_bytes',
        'retention_bytes', 'retention_age_ms', 'retention_records', 'lock_wait_ms', 'first_lsn'];
    private const CHOICES = ['at_capacity' => AtCapacity::class, 'io' => Io::class,
        'read_mode' => ReadMode::class];
    private const PATIENCE_SECONDS = 10;
    private const PAUSE_US = 20_000;

    /** @var array<string, mixed> what is kept between lines */
    private array $kept = [];
    /** @var list<string> */
    private array $lines = [];
    private readonly Files $files;

    private function __construct(private readonly string $scratch, string $golden)
    {
        $this->files = new Files($scratch, $golden);
    }

    /** Takes the scenario and prints its transcript. */
    public static function run(string $scenario, string $scratch): int
    {
        $session = new self($scratch, dirname($scenario) . '/../golden');
        foreach (explode("\n", must(file_get_contents($scenario))) as $text) {
            if ($text !== '' && $text[0] !== '#') {
                $answer = $session->take(new Line($text));
                echo implode("\n", ["> $text", ...$session->lines, $answer]), "\n";
            }
        }
        return 0;
    }

    private function take(Line $line): string
    {
        $this->lines = [];
        $operation = 'do' . camel($line->name);
        if (!method_exists($this, $operation)) {
            $answer = $this->files->take($line);
            if ($answer === null) {
                return "UNSUPPORTED {$line->name}";
            }
        } else {
            try {
                $answer = $this->$operation($line);
            } catch (WalException $error) {
                return refusal($error);
            }
        }
        $line->allTaken();
        return $answer;
    }

    private function directory(Line $line): string
    {
        return $this->scratch . '/' . ($line->optional('dir') ?? 'log');
    }

    private function get(Line $line, string $kind): mixed
    {
        $name = $line->optional($kind) ?? $kind;
        return $this->kept["$kind $name"] ?? throw new Misread("no $kind $name");
    }

    private function keep(Line $line, string $kind, mixed $value): void
    {
        $this->kept["$kind " . ($line->optional($kind) ?? $kind)] = $value;
    }

    private function log(Line $line): Log
    {
        return $this->get($line, 'log');
    }

    private function record(Record $record): void
    {
        $this->lines[] = 'record ' . words($record);
    }

    private function count(): string
    {
        return 'ok count=' . count($this->lines);
    }

    private function doOpen(Line $line): string
    {
        return $this->opened($line, Log::open(...));
    }

    private function doOpenReadOnly(Line $line): string
    {
        return $this->opened($line, Log::openReadOnly(...));
    }

    private function opened(Line $line, Closure $open): string
    {
        $options = ['level' => level($line)];
        foreach (self::COUNTS as $name) {
            $options[lcfirst(camel($name))] = $line->maybe($name);
        }
        foreach (self::CHOICES as $name => $enum) {
            $word = $line->optional($name);
            $options[lcfirst(camel($name))] = $word === null ? null : constant("$enum::" . camel($word));
        }
        $options['create'] = $line->yes('create');
        $options['padToBlock'] = $line->yes('pad_to_block');
        $given = array_filter($options, static fn (mixed $option): bool => $option !== null);
        $log = $open($this->directory($line), new Options(...$given));
        $this->keep($line, 'log', $log);
        $found = $log->recovery;
        $case = $found->case === RecoveryCase::TornTail ? 'torn-tail' : strtolower($found->case->name);
        $cut = $found->cutSegment === null
            ? '-'
            : "{$found->cutSegment}:{$found->cutOffset}:{$found->cutBytes}";
        return "ok case=$case " . ends($found) . " cut=$cut";
    }

    private function doClose(Line $line): string
    {
        $this->log($line)->close();
        return 'ok';
    }

    private function doDestroy(Line $line): string
    {
        Log::destroy($this->directory($line));
        return 'ok';
    }

    private function doPath(Line $line): string
    {
        return 'ok dir=' . basename($this->log($line)->path);
    }

    private function doUuid(Line $line): string
    {
        return 'ok uuid=' . $this->log($line)->uuid();
    }

    private function doAppend(Line $line): string
    {
        [$log, $record, $terms] = [$this->log($line), $line->data('record'), terms($line)];
        $lsn = array_diff_key($terms, ['level' => true]) === []
            ? $log->append($record, ...$terms)
            : $log->appendBatch([$record], ...$terms);
        return "ok lsn=$lsn";
    }

    private function doAppendBatch(Line $line): string
    {
        $records = $line->manyData('records');
        $last = $this->log($line)->appendBatch($records, ...terms($line));
        return 'ok first=' . ($last - count($records) + 1) . " last=$last";
    }

    private function doAppendPacked(Line $line): string
    {
        return $this->doAppendBatch($line);
    }

    private function doAppendVectored(Line $line): string
    {
        return 'ok lsn=' . $this->log($line)->append(implode('', $line->manyData('pieces')));
    }

    private function doAppendAt(Line $line): string
    {
        $lsn = $line->number('lsn');
        $this->log($line)->appendAt($lsn, $line->data('record'));
        return "ok lsn=$lsn";
    }

    private function doSubmit(Line $line): string
    {
        [$log, $record, $level] = [$this->log($line), $line->data('record'), level($line)];
        return $this->submitted($line, static fn () => $log->submit($record, $level));
    }

    private function doSubmitBatch(Line $line): string
    {
        [$log, $records, $terms] = [$this->log($line), $line->manyData('records'), terms($line)];
        return $this->submitted($line, static fn () => $log->submitBatch($records, ...$terms));
    }

    private function submitted(Line $line, Closure $submit): string
    {
        try {
            $ticket = $submit();
        } catch (WalException $error) {
            $ticket = $error;
        }
        $this->keep($line, 'ticket', $ticket);
        return 'ok';
    }

    private function doWait(Line $line): string
    {
        $ticket = $this->get($line, 'ticket');
        try {
            if ($ticket instanceof WalException) {
                throw $ticket;
            }
            $ticket->wait($line->maybe('timeout_ms'));
        } catch (TimeoutException $error) {
            throw $error;
        } catch (WalException $error) {
            $this->keep($line, 'ticket', null);
            throw $error;
        }
        $this->keep($line, 'ticket', null);
        return 'ok ' . ends($ticket);
    }

    private function doAppendAsync(Line $line): string
    {
        $tickets = array_map($this->log($line)->submit(...), $line->manyData('records'));
        $lsns = array_map(static fn (Wal\Ticket $ticket): int => $ticket->wait(), $tickets);
        return 'ok lsns=' . implode(',', $lsns);
    }

    private function doWaitDurable(Line $line): string
    {
        $this->log($line)->waitDurable($line->number('lsn'), $line->maybe('timeout_ms'));
        return 'ok';
    }

    private function doSync(Line $line): string
    {
        return 'ok durable=' . dash($this->log($line)->sync());
    }

    private function doLsns(Line $line): string
    {
        $log = $this->log($line);
        return 'ok first=' . dash($log->firstLsn()) . ' last=' . dash($log->lastLsn())
            . ' durable=' . dash($log->durableLsn()) . ' written=' . dash($log->writtenLsn())
            . ' submitted=' . dash($log->submittedLsn()) . " next={$log->nextLsn()}";
    }

    private function doNotifier(Line $line): string
    {
        $log = $this->log($line);
        $notifier = $log->notifier();
        $last = 0;
        foreach ($line->manyData('records') as $record) {
            $last = $log->submit($record)->lastLsn;
        }
        do {
            [$read, $none] = [[$notifier->stream()], null];
            if (stream_select($read, $none, $none, self::PATIENCE_SECONDS) !== 1) {
                throw new Misread('the descriptor stays unreadable');
            }
            $durable = $notifier->acknowledge();
        } while (($durable ?? 0) < $last);
        return "ok durable=$durable";
    }

    private function doRead(Line $line): string
    {
        $lsn = $line->number('lsn');
        return "ok lsn=$lsn bytes=" . print_bytes($this->log($line)->read($lsn));
    }

    private function doReadMany(Line $line): string
    {
        foreach ($line->items('lsns') as $lsn) {
            $this->record($this->log($line)->record(whole_number($lsn)));
        }
        return $this->count();
    }

    private function doTimeOf(Line $line): string
    {
        return 'ok time=' . $this->log($line)->timeOf($line->number('lsn'));
    }

    private function doCursor(Line $line): string
    {
        $cursor = $this->log($line)->cursor(position($line, 'from'));
        $this->keep($line, 'cursor', $cursor);
        return "ok next={$cursor->nextLsn()}";
    }

    private function doNext(Line $line): string
    {
        return step($this->get($line, 'cursor')->next());
    }

    private function doPrev(Line $line): string
    {
        return step($this->get($line, 'cursor')->prev());
    }

    private function doSeek(Line $line): string
    {
        $cursor = $this->get($line, 'cursor');
        $cursor->seek(position($line, 'to'));
        return "ok next={$cursor->nextLsn()}";
    }

    private function doSeekTime(Line $line): string
    {
        $cursor = $this->get($line, 'cursor');
        $cursor->seek(Wal\Position::time($line->number('time')));
        return "ok next={$cursor->nextLsn()}";
    }

    private function doCursorTime(Line $line): string
    {
        return "ok time={$this->get($line, 'cursor')->time()}";
    }

    private function doReadBatch(Line $line): string
    {
        $cursor = $this->get($line, 'cursor');
        array_map($this->record(...), $cursor->readRecords($line->number('count')));
        return $this->count() . " next={$cursor->nextLsn()}";
    }

    private function doIterate(Line $line): string
    {
        $this->log($line)->replay($this->record(...), position($line, 'from'));
        return $this->count();
    }

    private function doDigest(Line $line): string
    {
        [$first, $last, $count, $crc] = [null, null, 0, hash_init('crc32b')];
        foreach ($this->log($line)->cursor(position($line, 'from')) as $lsn => $payload) {
            $first ??= $lsn;
            $last = $lsn;
            $count++;
            hash_update($crc, $payload);
        }
        return 'ok first=' . dash($first) . ' last=' . dash($last) . " count=$count crc="
            . hash_final($crc);
    }

    private function doReplay(Line $line): string
    {
        $stop = $line->maybe('stop');
        $last = $this->log($line)->replay(function (Record $record) use ($stop): bool {
            $this->record($record);
            return $record->lsn !== $stop;
        }, position($line, 'from'));
        return 'ok last=' . dash($last);
    }

    private function doFollow(Line $line): string
    {
        $follower = $this->log($line)->follow(position($line, 'from'));
        $this->keep($line, 'follower', $follower);
        return "ok next={$follower->nextLsn()}";
    }

    private function doFollowNext(Line $line): string
    {
        $record = $this->get($line, 'follower')->next($line->number('timeout_ms'));
        return $record === null ? 'error timeout' : step($record);
    }

    private function doFollowSeek(Line $line): string
    {
        $follower = $this->get($line, 'follower');
        $follower->seek(position($line, 'to'));
        return "ok next={$follower->nextLsn()}";
    }

    private function doFollowLive(Line $line): string
    {
        [$log, $records] = [$this->log($line), $line->manyData('records')];
        $follower = $log->follow(position($line, 'from'));
        $append = static function () use ($log, &$records): void {
            if ($records !== []) {
                $log->append(array_shift($records));
            }
        };
        $wanted = count($records);
        self::whileSignalled($append, function () use ($follower, $wanted): void {
            while (count($this->lines) < $wanted) {
                $this->record($follower->next());
            }
        });
        while ($records !== []) {
            $append();
        }
        return $this->count();
    }

    private function doFollowUntilClosed(Line $line): string
    {
        $log = $this->log($line);
        $follower = $log->follow(position($line, 'from'));
        self::whileSignalled($log->close(...), function () use ($follower): void {
            while (true) {
                $this->record($follower->next());
            }
        });
        return 'ok';
    }

    /** PHP has one thread: what happens while it waits is the work of a signal handler. */
    private static function whileSignalled(Closure $handler, Closure $wait): void
    {
        pcntl_async_signals(true);
        pcntl_signal(SIGUSR1, $handler);
        $parent = posix_getpid();
        $child = pcntl_fork();
        if ($child === 0) {
            while (posix_getppid() === $parent) {
                usleep(self::PAUSE_US);
                posix_kill($parent, SIGUSR1);
            }
            posix_kill(posix_getpid(), SIGKILL);
        }
        try {
            $wait();
        } finally {
            posix_kill($child, SIGKILL);
            pcntl_waitpid($child, $status);
            pcntl_signal(SIGUSR1, SIG_IGN);
        }
    }

    private function doTrim(Line $line): string
    {
        return 'ok first=' . dash($this->log($line)->trim($line->number('before')));
    }

    private function doTruncate(Line $line): string
    {
        $this->log($line)->truncate($line->number('after'));
        return 'ok';
    }

    private function doReset(Line $line): string
    {
        $this->log($line)->resetTo($line->number('next'));
        return 'ok';
    }

    private function doValueSet(Line $line): string
    {
        $this->log($line)->values()->set($line->data('key'), $line->data('value'));
        return 'ok';
    }

    private function doValueGet(Line $line): string
    {
        $value = $this->log($line)->values()->get($line->data('key'));
        return $value === null ? 'ok none' : 'ok value=' . print_bytes($value);
    }

    private function doValueDelete(Line $line): string
    {
        return 'ok existed=' . (int) $this->log($line)->values()->delete($line->data('key'));
    }

    private function doValueUpdate(Line $line): string
    {
        $values = array_map(
            static fn (string $word): ?string => $word === 'none' ? null : read_bytes($word),
            $line->items('values'),
        );
        $this->log($line)->values()->update(array_combine($line->manyData('keys'), $values));
        return 'ok';
    }

    private function doValueList(Line $line): string
    {
        foreach ($this->log($line)->values() as $key => $value) {
            $this->lines[] = 'value key=' . print_bytes($key) . ' value=' . print_bytes($value);
        }
        return $this->count();
    }

    private function doStats(Line $line): string
    {
        $stats = $this->log($line)->stats();
        return 'ok level=' . strtolower($stats->level->name) . ' poisoned=' . (int) $stats->poisoned
            . ' ' . ends($stats) . " next={$stats->nextLsn} records={$stats->records}"
            . " record_bytes={$stats->recordBytes} rotations={$stats->rotations}"
            . " trimmed={$stats->trimmed} segments={$stats->segments}";
    }

    private function doSegments(Line $line): string
    {
        foreach ($this->log($line)->segments() as $segment) {
            $sealed = (int) $segment->sealed;
            $this->lines[] = "segment id={$segment->id} " . ends($segment) . " sealed=$sealed";
        }
        return $this->count();
    }

    private function doPoisoned(Line $line): string
    {
        return 'ok poisoned=' . (int) ($this->log($line)->poisoned() !== null);
    }

    private function doCopyTo(Line $line): string
    {
        $report = $this->log($line)->copyTo($this->directory($line));
        return "ok records={$report->records} " . ends($report);
    }

    private function doInfo(Line $line): string
    {
        $info = Check::info($this->directory($line));
        $case = $info->recovery->case;
        $case = $case === RecoveryCase::TornTail ? 'torn-tail' : strtolower($case->name);
        return 'ok clean=' . (int) $info->clean . ' writer=' . (int) $info->writerAlive
            . " epoch={$info->epoch} " . ends($info) . " next={$info->nextLsn} segments="
            . count($info->segments) . " values={$info->values} case=$case";
    }

    private function doVerify(Line $line): string
    {
        $report = Check::verify($this->directory($line));
        foreach ($report->findings as $finding) {
            $this->lines[] = 'finding kind=' . kind($finding->class) . ' segment='
                . dash($finding->segment) . " offset={$finding->offset} " . ends($finding)
                . ' at_stake=' . (int) $finding->recordsAtStake;
        }
        return "ok findings={$report->findingsCount} segments={$report->segments}"
            . " records={$report->records} " . ends($report) . ' torn=' . (int) $report->tornTail;
    }

    private function doRepair(Line $line): string
    {
        $report = Check::repair($this->directory($line), $line->yes('dry_run') ?? false);
        foreach ($report->lost as [$first, $last]) {
            $this->lines[] = "lost first=$first last=$last";
        }
        return 'ok changed=' . (int) $report->changed . ' actions=' . (int) ($report->actions !== [])
            . ' backup=' . (int) ($report->backup !== null);
    }
}
