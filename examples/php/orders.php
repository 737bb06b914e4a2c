<?php

declare(strict_types=1);

/*
 * A shop that loses no order: an order is on stable storage before its customer is told so.
 *
 *     PHP_CLI_SERVER_WORKERS=3 php -d ffi.enable=true -S 127.0.0.1:8080 orders.php
 *     curl -d '3 apples' 127.0.0.1:8080/orders       201, and the order's number
 *     curl 127.0.0.1:8080/orders                     all of them
 *
 * A log has one writer at a time, and requests are served by several processes. So there are a few
 * logs, and a request takes one that nobody else has: the lock of a log goes with its process, also
 * when that is killed, and the next one to open the log finds every order that was acknowledged.
 * Reading takes no lock. With PHP-FPM the logs are as many as its pm.max_children.
 */

require_once __DIR__ . '/../../bindings/php/autoload.php';

use Wal\Exception\LockedException;
use Wal\Exception\NotFoundException;
use Wal\Exception\WalException;
use Wal\Log;
use Wal\Options;

const LOGS = 3;

/** The directory of one of the logs. */
function place(int $number): string
{
    return (getenv('ORDERS') ?: sys_get_temp_dir() . '/orders') . "/$number";
}

/** A log nobody else has, and its number. */
function free_log(): array
{
    $first = random_int(0, LOGS - 1);
    for ($tries = 0; $tries < LOGS; $tries++) {
        $number = ($first + $tries) % LOGS;
        try {
            return [$number, Log::open(place($number))];
        } catch (LockedException) {
            // Another request has it.
        }
    }
    return [$first, Log::open(place($first), new Options(lockWaitMs: 5000))];
}

/** @return \Generator<string, string> every order by its number */
function orders(): \Generator
{
    for ($number = 0; $number < LOGS; $number++) {
        try {
            $log = Log::openReadOnly(place($number));
        } catch (NotFoundException) {
            continue;
        }
        foreach ($log->cursor() as $lsn => $order) {
            yield "$number-$lsn" => $order;
        }
    }
}

try {
    @mkdir(dirname(place(0)), recursive: true);
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        [$number, $log] = free_log();
        $lsn = $log->append(file_get_contents('php://input'));
        http_response_code(201);
        echo "$number-$lsn\n";
    } else {
        foreach (orders() as $number => $order) {
            echo "$number $order\n";
        }
    }
} catch (WalException $failure) {
    // The customer tries again: whether the order is there is not known.
    error_log($failure->getMessage());
    http_response_code(503);
}
