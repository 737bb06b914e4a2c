<?php

declare(strict_types=1);

use Wal\Log;
use Wal\Options;

/** Appends records that any reader can check, until killed; and checks what is left. */
final class Kills
{
    /** The record that `write` appends with this LSN. */
    private static function record(int $lsn): string
    {
        $length = $lsn % 64 === 0 ? $lsn * 977 % 5000 : $lsn * 31 % 120;
        return pack('P', $lsn) . pattern($lsn, $length);
    }

    /** Appends `$count` records or a few more (0: without end), telling each acknowledgement. */
    public static function write(string $directory, int $count, int $seed): int
    {
        $log = Log::open($directory, new Options(segmentBytes: 65536));
        $calls = new Numbers($seed);
        self::tell('open ' . ($log->lastLsn() ?? 0));
        $first = $next = $log->nextLsn();
        while ($count === 0 || $next - $first < $count) {
            $number = $calls->draw();
            $many = match ($number % 4) {
                0, 1 => 1,
                2 => 2 + ($number >> 8) % 7,
                3 => 1 + ($number >> 8) % 16,
            };
            $records = array_map(self::record(...), range($next, $next + $many - 1));
            if ($number % 4 < 2) {
                self::acknowledge($log->append($records[0]), $next);
            } elseif ($number % 4 === 2) {
                self::acknowledge($log->appendBatch($records), $next + $many - 1);
            } else {
                $tickets = array_map($log->submit(...), $records);
                foreach ($tickets as $place => $ticket) {
                    self::acknowledge($ticket->wait(), $next + $place);
                }
            }
            $next += $many;
        }
        $log->close();
        self::tell('done ' . $next - 1);
        return 0;
    }

    /** Opens the log, which recovers it, and holds every record against the generator. */
    public static function read(string $directory): int
    {
        $log = Log::open($directory);
        $first = $last = null;
        $isBatchOpen = false;
        $crc = hash_init('crc32b');
        $cursor = $log->cursor();
        while (($record = $cursor->next()) !== null) {
            if ($last !== null && $record->lsn !== $last + 1) {
                return self::wrong("record {$record->lsn} follows $last");
            }
            if ($record->payload !== self::record($record->lsn)) {
                return self::wrong("record {$record->lsn} is not what was appended");
            }
            $first ??= $record->lsn;
            $last = $record->lsn;
            $isBatchOpen = $record->batchContinues;
            hash_update($crc, $record->payload);
        }
        if ($isBatchOpen) {
            return self::wrong("the log ends inside a batch, at $last");
        }
        $log->close();
        self::tell('records ' . ($first ?? '-') . ' ' . ($last ?? '-') . ' ' . hash_final($crc));
        return 0;
    }

    private static function acknowledge(int $lsn, int $expected): void
    {
        if ($lsn !== $expected) {
            exit(self::wrong("record $expected got the LSN $lsn"));
        }
        self::tell("ack $lsn");
    }

    private static function tell(string $line): void
    {
        fwrite(STDOUT, "$line\n");
    }

    private static function wrong(string $how): int
    {
        fwrite(STDERR, "runner.php: $how\n");
        return 1;
    }
}
