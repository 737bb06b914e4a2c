<?php

declare(strict_types=1);

use Wal\Exception\WalException;
use Wal\Level;
use Wal\Position;
use Wal\Record;
use Wal\RecoveryCase;

/** A number, or what stands for none. */
function dash(int|string|null $value): string
{
    return $value === null ? '-' : (string) $value;
}

function case_name(RecoveryCase $case): string
{
    return $case === RecoveryCase::TornTail ? 'torn-tail' : strtolower($case->name);
}

/** NotFoundException is not_found. */
function kind(string $class): string
{
    $name = substr(strrchr($class, '\\'), 1, -strlen('Exception'));
    return strtolower(preg_replace('/(?<!^)[A-Z]/', '_$0', $name));
}

function refusal(WalException $error): string
{
    $line = 'error ' . kind($error::class);
    if ($error->lsn !== null) {
        $line .= " lsn={$error->lsn}";
    }
    if ($error->segment !== null) {
        $line .= " segment={$error->segment} offset={$error->offset}";
    }
    return $line;
}

function words(Record $record): string
{
    $more = (int) $record->batchContinues;
    return "lsn={$record->lsn} more=$more bytes=" . print_bytes($record->payload);
}

function step(?Record $record): string
{
    return $record === null ? 'ok end' : 'ok ' . words($record);
}

/** `first= last=` of anything that has these. */
function ends(object $of): string
{
    return 'first=' . dash($of->firstLsn) . ' last=' . dash($of->lastLsn);
}

function level(Line $line): ?Level
{
    $word = $line->optional('level');
    return $word === null ? null : constant(Level::class . '::' . camel($word));
}

/** trim_oldest is TrimOldest. */
function camel(string $word): string
{
    return str_replace('_', '', ucwords($word, '_'));
}

/**
 * What an append asks for beyond the log's options.
 *
 * @return array<string, mixed>
 */
function terms(Line $line): array
{
    $wait = $line->optional('wait');
    return array_filter([
        'level' => level($line),
        'timeoutMs' => match ($wait) {
            null, 'block' => null,
            'try' => 0,
            default => whole_number($wait),
        },
        'timeNs' => $line->maybe('time'),
    ], static fn (mixed $term): bool => $term !== null);
}

function position(Line $line, string $key): int|Position
{
    $word = $line->word($key);
    return match (true) {
        $word === 'first' => Position::first(),
        $word === 'end' => Position::end(),
        str_starts_with($word, 'time:') => Position::time(whole_number(substr($word, 5))),
        default => whole_number($word),
    };
}
