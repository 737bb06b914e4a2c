<?php

declare(strict_types=1);

namespace Wal\Tests;

use Wal\Library;

/** Finding and loading the library, on the command line and in a web server. */
final class LibraryTest extends LogCase
{
    private const USE = 'echo Wal\Log::open($path)->append("x");';
    private const TELL = 'try { Wal\Library::ffi(); } catch (Wal\Exception\LibraryException $e) '
        . '{ echo $e->getMessage(); }';

    private static function library(): string
    {
        $library = getenv('LIBWAL_LIBRARY');
        self::assertIsString($library, 'these tests run with LIBWAL_LIBRARY set');
        return $library;
    }

    public function testThePlaceIsTakenFromPhpIni(): void
    {
        $options = ['-d', 'libwal.library=' . self::library()];
        self::assertSame(
            [0, '1', ''],
            $this->runPhp(self::USE, $options, ['LIBWAL_LIBRARY' => '']),
        );
    }

    public function testTheSystemsLibraryIsFoundByItsName(): void
    {
        symlink(self::library(), "{$this->directory}/libwal.so.0");
        $environment = ['LIBWAL_LIBRARY' => '', 'LD_LIBRARY_PATH' => $this->directory];
        self::assertSame([0, '1', ''], $this->runPhp(self::USE, [], $environment));
    }

    public function testAPlaceThatIsWrongIsToldAndNoOtherLibraryIsTaken(): void
    {
        [$code, $output, $errors] = $this->runPhp(
            self::TELL,
            [],
            ['LIBWAL_LIBRARY' => '/nowhere.so'],
        );
        self::assertSame([0, ''], [$code, $errors]);
        self::assertStringContainsString('/nowhere.so', $output);
        self::assertStringContainsString('LIBWAL_LIBRARY', $output);
    }

    public function testALibraryThatIsNoneIsToldWithWhatToDo(): void
    {
        [$code, $output] = $this->runPhp(self::TELL, [], ['LIBWAL_LIBRARY' => 'libm.so.6']);
        self::assertSame(0, $code);
        self::assertStringContainsString('install libwal', $output);
        self::assertStringContainsString('wal_', $output);
    }

    public function testSwitchedOffFfiIsToldWithWhatToDo(): void
    {
        [$code, $output] = $this->runPhp(self::TELL, ['-d', 'ffi.enable=0']);
        self::assertSame(0, $code);
        self::assertStringContainsString('ffi.enable=preload', $output);
    }

    /** @return list<string> */
    private static function preloading(): array
    {
        if (!extension_loaded('Zend OPcache')) {
            self::markTestSkipped('no opcache to preload with');
        }
        return ['-d', 'opcache.enable=1', '-d', 'opcache.enable_cli=1', '-d', 'ffi.enable=preload',
            '-d', 'opcache.preload=' . realpath(__DIR__ . '/../preload.php'),
        ];
    }

    /** As PHP-FPM needs it, which root starts: the header names the library. */
    private function preloadingAsRoot(): array
    {
        $header = str_replace(
            '"libwal.so.0"',
            '"' . self::library() . '"',
            file_get_contents(Library::HEADER),
        );
        file_put_contents("{$this->directory}/libwal.h", $header);
        return [...self::preloading(), '-d', "ffi.preload={$this->directory}/libwal.h",
            '-d', 'opcache.preload_user=' . posix_getpwuid(posix_geteuid())['name']];
    }

    public function testThePackageWorksPreloaded(): void
    {
        $code = self::USE . 'echo FFI::scope("libwal")->wal_version(), " ",
            (new ReflectionClass("Wal\Cursor"))->getFileName() !== false, opcache_get_status()
            ["preload_statistics"]["memory_consumption"] > 0;';
        // Nothing else says where the library is: it is there because it was preloaded.
        self::assertSame(
            [0, '10.1.0 11', ''],
            $this->runPhp($code, $this->preloadingAsRoot(), ['LIBWAL_LIBRARY' => '']),
        );
        if (posix_geteuid() === 0) {
            // Root has to name a user, and then PHP wants `ffi.preload`.
            return;
        }
        $here = [...self::preloading(), '-d', 'libwal.library=' . self::library()];
        self::assertSame(
            [0, '20.1.0 11', ''],
            $this->runPhp($code, $here, ['LIBWAL_LIBRARY' => '']),
        );
    }

    /** @return array{resource, array<int, resource>, string} a web server and its address */
    private function serve(string $page, array $options, array $environment = []): array
    {
        $autoload = var_export(__DIR__ . '/../autoload.php', true);
        file_put_contents("{$this->directory}/index.php", "<?php declare(strict_types=1);
            require_once $autoload; \$path = " . var_export($this->path, true) . "; $page");
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($socket, false);
        fclose($socket);
        $process = proc_open(
            [
                PHP_BINARY,
                '-d',
                'log_errors=0',
                ...$options,
                '-S',
                $address,
                "{$this->directory}/index.php",
            ],
            [
                ['file', '/dev/null', 'r'],
                ['file', '/dev/null', 'w'],
                ['file', "{$this->directory}/errors", 'w'],
            ],
            $pipes,
            null,
            $environment + getenv(),
        );
        self::assertIsResource($process);
        for ($tries = 0; $tries < 500 && !@stream_socket_client("tcp://$address"); $tries++) {
            usleep(20_000);
        }
        return [$process, $pipes, "http://$address/"];
    }

    private function get(string $url): string
    {
        $context = stream_context_create(['http' => ['timeout' => 30, 'ignore_errors' => true]]);
        return (string) file_get_contents($url, false, $context);
    }

    private static function stop($process): void
    {
        proc_terminate($process, SIGKILL);
        proc_close($process);
    }

    public function testAWebServerWithThePreloadedPackageUsesItAndNobodyElseUsesFfi(): void
    {
        [$server, , $url] = $this->serve('
            echo Wal\Log::open($path)->append("x"), " ", count(
                iterator_to_array(Wal\Log::openReadOnly($path)->cursor()),
            ),
                " ", count(Wal\Log::open($path)->segments()), " ";
            try { FFI::cdef("int getpid(void);"); } catch (FFI\Exception) { echo "restricted"; }',
            $this->preloadingAsRoot(), ['LIBWAL_LIBRARY' => '']);
        try {
            self::assertSame('1 1 1 restricted', $this->get($url));
            self::assertSame('2 2 1 restricted', $this->get($url));
        } finally {
            self::stop($server);
        }
    }

    public function testAWebServerWithoutPreloadingTellsWhatToDo(): void
    {
        [$server, , $url] = $this->serve(self::TELL, ['-d', 'ffi.enable=preload']);
        try {
            $told = $this->get($url);
            self::assertStringContainsString('opcache.preload', $told);
            self::assertStringContainsString('/preload.php', $told);
        } finally {
            self::stop($server);
        }
    }

    public function testAFatalErrorInARequestLeavesNoLockBehind(): void
    {
        [$server, , $url] = $this->serve('
            $log = Wal\Log::open($path);
            $cycle = new stdClass; $cycle->self = $cycle; $cycle->log = $log;
            echo $log->append("x");
            if ($_SERVER["REQUEST_URI"] === "/fatal") { str_repeat("x", PHP_INT_MAX >> 20); }',
            ['-d', 'ffi.enable=true', '-d', 'memory_limit=64M', '-d', 'display_errors=1']);
        try {
            self::assertSame('1', $this->get($url));
            foreach (['fatal', 'fatal'] as $page) {
                self::assertStringContainsString('Allowed memory size', $this->get($url . $page));
            }
            self::assertSame('4', $this->get($url));
        } finally {
            self::stop($server);
        }
    }
}
