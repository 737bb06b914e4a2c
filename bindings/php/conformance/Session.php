<?php

declare(strict_types=1);

use Wal\AtCapacity;
use Wal\Exception\TimeoutException;
use Wal\Exception\WalException;
use Wal\Io;
use Wal\Log;
use Wal\Options;
use Wal\ReadMode;
use Wal\Record;

/** Takes a scenario line by line, through the package as its users have it. */
final class Session
{
    use Changing;
    use Reading;

    private const COUNTS = ['sync_every_ms', 'sync_bytes', 'segment_bytes', 'record_bytes_max',
        'batch_bytes_max', 'ring_bytes', 'max_batch_delay_us', 'max_batch_bytes', 'max_bytes',
        'retention_bytes', 'retention_age_ms', 'retention_records', 'lock_wait_ms', 'first_lsn'];
    private const CHOICES = ['at_capacity' => AtCapacity::class, 'io' => Io::class,
        'read_mode' => ReadMode::class];
    private const PATIENCE_SECONDS = 10;

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
            $choice = $word === null ? null : constant("$enum::" . camel($word));
            $options[lcfirst(camel($name))] = $choice;
        }
        $options['create'] = $line->yes('create');
        $options['padToBlock'] = $line->yes('pad_to_block');
        $given = array_filter($options, static fn (mixed $option): bool => $option !== null);
        $log = $open($this->directory($line), new Options(...$given));
        $this->keep($line, 'log', $log);
        $found = $log->recovery;
        $case = case_name($found->case);
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
}
