<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * The packed layout: many records in one piece of memory, so that one call carries all of them.
 *
 * A record is its length (32 bits, little-endian), flags (32), LSN (64), its bytes, and zeros up to
 * a multiple of 8.
 *
 * @internal
 */
final class Packed
{
    public const HEADER_BYTES = 16;
    private const BATCH_CONTINUES = 1;
    /** Headers of short records are kept: to make one takes longer than to copy a record. */
    private const HEADERS_MAX = 4096;
    private const PADDING = ["", "\0", "\0\0", "\0\0\0", "\0\0\0\0", "\0\0\0\0\0", "\0\0\0\0\0\0",
        "\0\0\0\0\0\0\0"];

    /** @var array<int, string> by length */
    private static array $headers = [];

    /**
     * Records of one length in a row are joined by what stands between two of them: that is twice
     * as fast as going from record to record.
     *
     * @param iterable<string> $records
     */
    public static function pack(iterable $records): string
    {
        $packed = $header = $padding = '';
        $run = [];
        $length = -1;
        foreach ($records as $record) {
            // `strlen` takes null, whatever the file says about strict types.
            if (!\is_string($record)) {
                throw Failure::type($record);
            }
            $own = \strlen($record);
            if ($own === $length) {
                $run[] = $record;
                continue;
            }
            if ($run !== []) {
                // Its first record is packed already.
                $packed .= $header . \implode($padding . $header, $run) . $padding;
                $run = [];
            }
            $length = $own;
            $header = self::$headers[$own] ?? self::header($own);
            $padding = self::PADDING[-$own & 7];
            $packed .= $header . $record . $padding;
        }
        if ($run === []) {
            return $packed;
        }
        return $packed . $header . \implode($padding . $header, $run) . $padding;
    }

    /** What stands before a record of this length. */
    private static function header(int $length): string
    {
        if ($length > 0xFFFF_FFFF) {
            throw Failure::invalid("a record has $length bytes: split it");
        }
        $header = \pack('VVP', $length, 0, 0);
        if ($length < self::HEADERS_MAX) {
            self::$headers[$length] = $header;
        }
        return $header;
    }

    /**
     * The payloads of packed records by their LSNs, which go up by one.
     *
     * @param CData $words the memory as 32-bit numbers, with at least one record in it
     * @return array<int, string>
     */
    public static function payloads(CData $words, int $used, int $count): array
    {
        $bytes = FFI::string($words, $used);
        $lsn = \unpack('P', $bytes, 8)[1];
        $payloads = [];
        for ($at = 0; $count > 0; $count--) {
            $length = $words[$at >> 2];
            $payloads[$lsn++] = \substr($bytes, $at + self::HEADER_BYTES, $length);
            $at += $length + 23 & ~7;
        }
        return $payloads;
    }

    /**
     * The same with all that is known of the records.
     *
     * @return list<Record>
     */
    public static function records(CData $words, int $used, int $count): array
    {
        $records = [];
        $at = 0;
        foreach (self::payloads($words, $used, $count) as $lsn => $payload) {
            $more = ($words[($at >> 2) + 1] & self::BATCH_CONTINUES) !== 0;
            $records[] = new Record($lsn, $payload, $more);
            $at += \strlen($payload) + 23 & ~7;
        }
        return $records;
    }

    /** Whether the flags of a record say that its batch goes on. */
    public static function continues(int $flags): bool
    {
        return ($flags & self::BATCH_CONTINUES) !== 0;
    }
}
