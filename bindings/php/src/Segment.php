<?php

declare(strict_types=1);

namespace Wal;

use FFI\CData;

/** One segment of a log. */
final class Segment
{
    /**
     * @param int $id its number and file name
     * @param int $firstLsn of its first record, or of its first possible one
     * @param ?int $lastLsn null while it is empty
     * @param int $end where its valid bytes end
     * @param int $createdNs when it was started, in nanoseconds since 1970
     */
    public function __construct(
        public readonly int $id,
        public readonly int $firstLsn,
        public readonly ?int $lastLsn,
        public readonly bool $sealed,
        public readonly int $end,
        public readonly int $fileBytes,
        public readonly int $epoch,
        public readonly int $createdNs,
    ) {
    }

    /** @internal */
    public static function of(CData $segment): self
    {
        return new self(
            $segment->id,
            $segment->first_lsn,
            $segment->last_lsn ?: null,
            $segment->sealed !== 0,
            $segment->end,
            $segment->file_bytes,
            $segment->epoch,
            $segment->created_ns,
        );
    }
}
