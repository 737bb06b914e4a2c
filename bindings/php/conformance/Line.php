<?php

declare(strict_types=1);

/** The scenario is wrong: the end. */
final class Misread extends Exception
{
}

/** One operation. Words are taken out by name; what nobody took is a mistake. */
final class Line
{
    public readonly string $name;
    /** @var array<string, string> */
    private array $words = [];
    /** @var array<string, true> */
    private array $left = [];

    public function __construct(public readonly string $text)
    {
        $parts = explode(' ', $text);
        $this->name = array_shift($parts);
        foreach ($parts as $part) {
            if ($this->name === '' || !str_contains($part, '=')) {
                throw new Misread("no operation: $text");
            }
            [$key, $value] = explode('=', $part, 2);
            $this->words[$key] = $value;
            $this->left[$key] = true;
        }
    }

    public function optional(string $key): ?string
    {
        unset($this->left[$key]);
        return $this->words[$key] ?? null;
    }

    public function word(string $key): string
    {
        return $this->optional($key) ?? throw new Misread("{$this->text}: lacks $key=");
    }

    public function number(string $key): int
    {
        return whole_number($this->word($key));
    }

    public function maybe(string $key): ?int
    {
        $value = $this->optional($key);
        return $value === null ? null : whole_number($value);
    }

    public function yes(string $key): ?bool
    {
        return match ($this->optional($key)) {
            null => null,
            '0' => false,
            '1' => true,
        };
    }

    /** @return list<string> */
    public function items(string $key): array
    {
        $value = $this->word($key);
        return $value === '' ? [] : explode(',', $value);
    }

    public function data(string $key): string
    {
        return read_bytes($this->word($key));
    }

    /** @return list<string> */
    public function manyData(string $key): array
    {
        return array_map(read_bytes(...), $this->items($key));
    }

    public function allTaken(): void
    {
        if ($this->left !== []) {
            throw new Misread(
                "{$this->text}: nobody knows " . implode(', ', array_keys($this->left)),
            );
        }
    }
}

/** A number up to 2^64 - 1, handed on as the same 64 bits. */
function whole_number(string $text): int
{
    if (!preg_match('/^\d+$/', $text)) {
        throw new Misread("no number: $text");
    }
    $high = $low = 0;
    foreach (str_split($text) as $digit) {
        $low = $low * 10 + (int) $digit;
        $high = ($high * 10 + ($low >> 32)) & 0xFFFF_FFFF;
        $low &= 0xFFFF_FFFF;
    }
    return $high << 32 | $low;
}

/** The 32-bit numbers of a seed. */
final class Numbers
{
    private int $state;

    public function __construct(int $seed)
    {
        // In halves: the product of two 32-bit numbers would become a float.
        $high = (($seed & 0xFFFF_FFFF) * (2654435761 >> 16) & 0xFFFF) << 16;
        $product = $high + ($seed & 0xFFFF_FFFF) * (2654435761 & 0xFFFF);
        $this->state = $product + 1 & 0xFFFF_FFFF ?: 1;
    }

    public function draw(): int
    {
        $x = $this->state;
        $x ^= ($x << 13) & 0xFFFF_FFFF;
        $x ^= $x >> 17;
        $x ^= ($x << 5) & 0xFFFF_FFFF;
        return $this->state = $x;
    }
}

function pattern(int $seed, int $length): string
{
    $numbers = new Numbers($seed);
    $bytes = '';
    while (strlen($bytes) < $length) {
        $bytes .= pack('V', $numbers->draw());
    }
    return substr($bytes, 0, $length);
}

function read_bytes(string $literal): string
{
    [$kind, $rest] = explode(':', $literal, 2) + [1 => ''];
    return match ($kind) {
        'text' => $rest,
        'hex' => hex2bin($rest),
        'zeros' => str_repeat("\0", whole_number($rest)),
        'pattern' => pattern(...array_map(whole_number(...), explode(':', $rest))),
        default => throw new Misread("no literal: $literal"),
    };
}

function print_bytes(string $bytes): string
{
    return strlen($bytes) <= 32
        ? 'hex:' . bin2hex($bytes)
        : strlen($bytes) . ':' . hash('crc32b', $bytes);
}
