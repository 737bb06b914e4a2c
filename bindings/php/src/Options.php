<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * How a log is opened; most programs only choose the level. What is null is the library's default.
 *
 *     new Options(level: Level::Os, lockWaitMs: 5000)
 */
final class Options
{
    /**
     * @param ?Level $level what an acknowledgement promises; disk unless given
     * @param ?int $syncEveryMs sync at the latest so long after a write, below the disk level
     * @param ?int $syncBytes sync at the latest when so many bytes were written
     * @param ?int $segmentBytes size of a segment file, 64 KiB to 4 GiB; 64 MiB unless given
     * @param ?int $recordBytesMax the longest record accepted; 64 MiB unless given
     * @param ?int $batchBytesMax the largest batch accepted; 256 MiB unless given
     * @param ?int $ringBytes memory for records on their way to the kernel; 16 MiB unless given
     * @param ?int $maxBatchDelayUs how long a flush may wait for more records; 0 unless given
     * @param ?int $maxBatchBytes about how much one flush takes; 4 MiB unless given
     * @param ?int $maxBytes size of all segment files together that is not exceeded
     * @param ?AtCapacity $atCapacity what happens there; reject unless given
     * @param ?int $retentionBytes keep at most about so many bytes of records
     * @param ?int $retentionAgeMs keep records at most about so long
     * @param ?int $retentionRecords keep at most about so many records
     * @param ?int $lockWaitMs how long to wait for another writer; 0 unless given
     * @param ?int $firstLsn the first LSN of a log that is created; 1 unless given
     * @param ?bool $create whether a missing log is created; true unless given
     * @param ?Io $io how the active segment is written
     * @param ReadMode $readMode the library's own default is `ReadMode::Map`
     * @param ?bool $padToBlock pads every commit to a full block
     */
    public function __construct(
        public readonly ?Level $level = null,
        public readonly ?int $syncEveryMs = null,
        public readonly ?int $syncBytes = null,
        public readonly ?int $segmentBytes = null,
        public readonly ?int $recordBytesMax = null,
        public readonly ?int $batchBytesMax = null,
        public readonly ?int $ringBytes = null,
        public readonly ?int $maxBatchDelayUs = null,
        public readonly ?int $maxBatchBytes = null,
        public readonly ?int $maxBytes = null,
        public readonly ?AtCapacity $atCapacity = null,
        public readonly ?int $retentionBytes = null,
        public readonly ?int $retentionAgeMs = null,
        public readonly ?int $retentionRecords = null,
        public readonly ?int $lockWaitMs = null,
        public readonly ?int $firstLsn = null,
        public readonly ?bool $create = null,
        public readonly ?Io $io = null,
        public readonly ReadMode $readMode = ReadMode::Pread,
        public readonly ?bool $padToBlock = null,
    ) {
    }

    /** @internal */
    public function native(FFI $ffi): CData
    {
        $options = $ffi->new('wal_options[1]');
        $ffi->wal_options_init($options, FFI::sizeof($options[0]));
        foreach (\get_object_vars($this) as $name => $value) {
            if ($value !== null) {
                // As C spells it: syncEveryMs is sync_every_ms.
                $field = \strtolower(\preg_replace('/[A-Z]/', '_$0', $name));
                $options[0]->$field = $value instanceof \BackedEnum ? $value->value : (int) $value;
            }
        }
        return $options;
    }
}
