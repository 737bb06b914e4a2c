<?php

declare(strict_types=1);

namespace Wal\Tests;

use PHPUnit\Framework\TestCase;
use Wal\Log;

/** A test with a directory of its own, and other processes of PHP. */
abstract class LogCase extends TestCase
{
    protected string $directory;
    protected string $path;

    protected function setUp(): void
    {
        $this->directory = sys_get_temp_dir() . '/libwal-php-' . bin2hex(random_bytes(8));
        mkdir($this->directory);
        $this->path = "{$this->directory}/log";
    }

    protected function tearDown(): void
    {
        self::remove($this->directory);
    }

    /** @return array<int, string> every record */
    protected static function all(Log $log): array
    {
        return iterator_to_array($log->cursor());
    }

    /** @param class-string<\Throwable> $class */
    protected static function assertThrows(
        string $class,
        callable $call,
        string $what = '',
    ): \Throwable {
        try {
            $call();
        } catch (\Throwable $error) {
            self::assertInstanceOf($class, $error, "$what: {$error->getMessage()}");
            return $error;
        }
        self::fail("$what: no $class");
    }

    /**
     * Runs a program in a PHP of its own. It gets the log's path as `$path`.
     *
     * @param list<string> $options of `php`
     * @return array{int, string, string} exit code (or 128 + signal), output, errors
     */
    protected function runPhp(string $code, array $options = [], array $environment = []): array
    {
        $process = $this->startPhp($code, $pipes, $options, $environment);
        return $this->finish($process, $pipes);
    }

    /**
     * @param array<int, resource> $pipes
     * @return resource
     */
    protected function startPhp(
        string $code,
        ?array &$pipes,
        array $options = [],
        array $environment = [],
    )
    {
        $program = $this->directory . '/' . bin2hex(random_bytes(4)) . '.php';
        $preamble = 'require ' . var_export(__DIR__ . '/../autoload.php', true) . ';'
            . '$path = ' . var_export($this->path, true) . ';';
        file_put_contents($program, "<?php declare(strict_types=1); $preamble\n$code");
        $command = [
            PHP_BINARY,
            '-d',
            'display_errors=stderr',
            '-d',
            'log_errors=0',
            ...$options,
            $program,
        ];
        $process = proc_open(
            $command,
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']],
            $pipes,
            null,
            $environment + getenv(),
        );
        self::assertIsResource($process);
        return $process;
    }

    /**
     * @param resource $process
     * @param array<int, resource> $pipes
     * @return array{int, string, string}
     */
    protected function finish($process, array $pipes): array
    {
        $output = stream_get_contents($pipes[1]);
        $errors = stream_get_contents($pipes[2]);
        do {
            $status = proc_get_status($process);
            usleep(1000);
        } while ($status['running']);
        proc_close($process);
        $code = $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'];
        return [$code, $output, $errors];
    }

    private static function remove(string $path): void
    {
        if (is_link($path) || !is_dir($path)) {
            unlink($path);
            return;
        }
        foreach (array_diff(scandir($path), ['.', '..']) as $name) {
            self::remove("$path/$name");
        }
        rmdir($path);
    }
}
