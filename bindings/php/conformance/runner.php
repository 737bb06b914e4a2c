<?php

declare(strict_types=1);

/* The conformance runner in PHP: see bindings/conformance/README.md. */

require __DIR__ . '/../autoload.php';
foreach (['Line', 'Files', 'Answers', 'Reading', 'Changing', 'Session', 'Kills'] as $part) {
    require __DIR__ . "/$part.php";
}

exit((static function (array $words): int {
    try {
        return match ([$words[0] ?? '', count($words)]) {
            ['run', 3] => Session::run($words[1], $words[2]),
            ['write', 4] => Kills::write(
                $words[1],
                whole_number($words[2]),
                whole_number($words[3]),
            ),
            ['read', 2] => Kills::read($words[1]),
            default => throw new Misread(
                'usage: run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR',
            ),
        };
    } catch (Misread $error) {
        fwrite(STDERR, "runner.php: {$error->getMessage()}\n");
        return 2;
    } catch (Wal\Exception\WalException $error) {
        fwrite(STDERR, "runner.php: {$error->getMessage()}\n");
        return 1;
    }
})(array_slice($argv, 1)));
