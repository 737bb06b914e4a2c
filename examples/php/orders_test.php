<?php

declare(strict_types=1);

/*
 * Kills the shop of orders.php while customers order, again and again: every order that was
 * acknowledged must be there, once, and no order that nobody gave.
 *
 *     php orders_test.php
 */

const ROUNDS = 3;
const CUSTOMERS = 4;
const ORDERS_A_ROUND = 60;

/** Orders until the shop is gone; tells each number it was given. */
function customer(string $address, string $name): void
{
    $http = ['method' => 'POST', 'header' => 'Content-Type: text/plain', 'timeout' => 20,
        'ignore_errors' => true];
    for ($count = 1; ; $count++) {
        $order = "$name order $count";
        $context = stream_context_create(['http' => $http + ['content' => $order]]);
        $answer = @file_get_contents("http://$address/orders", false, $context);
        if ($answer === false) {
            return;
        }
        // A connection that breaks in the middle of the answer has told nothing.
        if (str_contains($http_response_header[0], ' 201 ') && str_ends_with($answer, "\n")) {
            fwrite(STDOUT, trim($answer) . " $order\n");
        }
    }
}

/** @return array{resource, string} the shop, and its address */
function open_shop(string $directory): array
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $address = stream_socket_get_name($socket, false);
    fclose($socket);
    // In a session of its own, so that one kill meets all workers.
    $shop = proc_open(
        ['setsid', PHP_BINARY, '-d', 'ffi.enable=true', '-S', $address, __DIR__ . '/orders.php'],
        [
            ['file', '/dev/null', 'r'],
            ['file', '/dev/null', 'w'],
            ['file', "$directory/errors", 'a'],
        ],
        $pipes,
        null,
        ['ORDERS' => "$directory/orders", 'PHP_CLI_SERVER_WORKERS' => '3'] + getenv(),
    );
    for ($tries = 0; !@stream_socket_client("tcp://$address"); $tries++) {
        expect($tries < 1000, 'the shop opens');
        usleep(20_000);
    }
    return [$shop, $address];
}

/** No chance to tidy up: SIGKILL for the server and its workers. */
function kill_shop($shop): void
{
    posix_kill(-proc_get_status($shop)['pid'], 9);
    proc_close($shop);
}

function expect(bool $is, string $what): void
{
    if (!$is) {
        fwrite(STDERR, "orders_test.php: it is not so that $what\n");
        exit(1);
    }
}

/** Has customers order until enough were acknowledged, then kills the shop. */
function round_of_orders(string $directory, int $round): array
{
    [$shop, $address] = open_shop($directory);
    $customers = $streams = [];
    for ($name = 0; $name < CUSTOMERS; $name++) {
        $command = [PHP_BINARY, __FILE__, $address, "round $round customer $name"];
        $customers[] = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        $streams[] = $pipes[1];
    }
    $told = [];
    $killed = false;
    while ($streams !== []) {
        $ready = $streams;
        $none = null;
        expect(stream_select($ready, $none, $none, 60) > 0, 'customers are served');
        foreach ($ready as $stream) {
            $line = fgets($stream);
            if ($line === false) {
                unset($streams[array_search($stream, $streams, true)]);
                continue;
            }
            [$number, $order] = explode(' ', rtrim($line), 2);
            expect(!isset($told[$number]), "$number was given once");
            $told[$number] = $order;
        }
        if (!$killed && count($told) >= ORDERS_A_ROUND) {
            kill_shop($shop);
            $killed = true;
        }
    }
    array_map(proc_close(...), $customers);
    return $told;
}

if (isset($argv[2])) {
    customer($argv[1], $argv[2]);
    exit;
}

$directory = sys_get_temp_dir() . '/orders-' . bin2hex(random_bytes(8));
mkdir($directory);
$acknowledged = [];
for ($round = 1; $round <= ROUNDS; $round++) {
    $told = round_of_orders($directory, $round);
    expect(array_intersect_key($told, $acknowledged) === [], 'no number was given in two rounds');
    $acknowledged += $told;

    [$shop, $address] = open_shop($directory);
    // An order after the kill: whoever takes it recovers the log it lands in.
    $context = stream_context_create(['http' => ['method' => 'POST',
        'header' => 'Content-Type: text/plain', 'content' => "after kill $round"]]);
    $number = trim(file_get_contents("http://$address/orders", false, $context));
    $acknowledged[$number] = "after kill $round";
    $found = [];
    foreach (file("http://$address/orders", FILE_IGNORE_NEW_LINES) as $line) {
        [$number, $order] = explode(' ', $line, 2);
        $found[$number] = $order;
    }
    kill_shop($shop);

    foreach ($acknowledged as $number => $order) {
        expect(($found[$number] ?? null) === $order, "$number is '$order'");
    }
    foreach ($found as $order) {
        $given = preg_match('/^(round \d customer \d order \d+|after kill \d)$/', $order) === 1;
        expect($given, "'$order' was given");
    }
    expect(count(array_unique($found)) === count($found), 'every order is there once');
}
exec('rm -rf ' . escapeshellarg($directory));
echo count($acknowledged), ' orders were acknowledged in ', ROUNDS,
    " rounds, each ended by kill -9: all of them are there\n";
