<?php

declare(strict_types=1);

/** What is done to files without the library. */
final class Files
{
    public function __construct(private readonly string $scratch, private readonly string $golden)
    {
    }

    /** Takes the line if its operation is one of these. */
    public function take(Line $line): ?string
    {
        $operations = ['golden', 'snapshot', 'damage', 'cut_file', 'remove_file', 'remove_dir',
            'make_file', 'exists', 'sleep'];
        if (!in_array($line->name, $operations, true)) {
            return null;
        }
        $directory = $this->scratch . '/' . ($line->optional('dir') ?? 'log');
        if ($line->name === 'exists') {
            clearstatcache();
            return 'ok exists=' . (int) file_exists($directory);
        }
        match ($line->name) {
            'golden' => self::unpack(
                must(file_get_contents("{$this->golden}/{$line->word('name')}.golden")),
                $directory,
            ),
            'snapshot' => self::snapshot($directory, "{$this->scratch}/{$line->word('to')}"),
            'damage' => self::damage(
                "$directory/{$line->word('file')}",
                $line->number('offset'),
                $line->number('xor'),
            ),
            'cut_file' => must(ftruncate(
                must(fopen("$directory/{$line->word('file')}", 'r+')),
                $line->number('length'),
            )),
            'remove_file' => must(unlink("$directory/{$line->word('file')}")),
            'remove_dir' => self::removeDirectory($directory),
            'make_file' => must(touch($directory)),
            'sleep' => usleep($line->number('ms') * 1000),
        };
        return 'ok';
    }

    /** Writes the files of a golden log to a directory that is not there yet. */
    private static function unpack(string $text, string $directory): void
    {
        must(mkdir($directory));
        $files = [];
        $name = '';
        foreach (explode("\n", $text) as $line) {
            $words = explode(' ', $line);
            if ($line === '' || $line[0] === '#') {
                continue;
            }
            if ($words[0] === 'file') {
                $name = $words[1];
                $files[$name] = str_repeat("\0", (int) $words[2]);
            } else {
                $bytes = hex2bin($words[1]);
                $files[$name] =
                    substr_replace($files[$name], $bytes, (int) $words[0], strlen($bytes));
            }
        }
        foreach ($files as $name => $bytes) {
            must(file_put_contents("$directory/$name", $bytes) === strlen($bytes));
        }
    }

    private static function snapshot(string $source, string $target): void
    {
        must(mkdir($target));
        foreach (array_diff(must(scandir($source)), ['.', '..']) as $name) {
            // It may be gone meanwhile.
            if (!@copy("$source/$name", "$target/$name")) {
                clearstatcache();
                must(!file_exists("$source/$name"));
            }
        }
    }

    private static function damage(string $path, int $offset, int $xor): void
    {
        $file = must(fopen($path, 'r+'));
        fseek($file, $offset);
        $byte = chr(ord(must(fread($file, 1))) ^ $xor);
        fseek($file, $offset);
        must(fwrite($file, $byte) === 1);
        fclose($file);
    }

    private static function removeDirectory(string $directory): void
    {
        // A log that is open may make a file meanwhile.
        for ($tries = 0; $tries < 100; $tries++) {
            foreach (array_diff(must(scandir($directory)), ['.', '..']) as $name) {
                @unlink("$directory/$name");
            }
            if (@rmdir($directory)) {
                return;
            }
        }
        throw new Misread("$directory is never empty");
    }
}

/**
 * @template T
 * @param T|false $done
 * @return T
 */
function must(mixed $done): mixed
{
    if ($done === false) {
        throw new Misread(error_get_last()['message'] ?? 'it is not so');
    }
    return $done;
}
