<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/** One wrong place. */
final class Finding
{
    /**
     * @param class-string<Exception\WalException> $class what reading it would throw
     * @param int $offset where in the file
     */
    public function __construct(
        public readonly string $class,
        public readonly string $message,
        public readonly bool $recordsAtStake,
        public readonly ?int $segment,
        public readonly int $offset,
        public readonly ?int $firstLsn,
        public readonly ?int $lastLsn,
        public readonly string $path,
    ) {
    }

    /** @internal */
    public static function of(CData $finding): self
    {
        return new self(
            Failure::classOf($finding->code),
            self::text($finding->message),
            $finding->records_at_stake !== 0,
            $finding->segment ?: null,
            $finding->offset,
            $finding->first_lsn ?: null,
            $finding->last_lsn ?: null,
            self::text($finding->path),
        );
    }

    /** PHP makes a string of a `const char *` by itself. */
    private static function text(mixed $text): string
    {
        return $text instanceof CData ? FFI::string($text) : (string) $text;
    }
}
