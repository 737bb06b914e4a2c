package io.libwal;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What a log is, told without opening it.
 *
 * @since 0.1.0
 */
public final class LogInfo {
    private final UUID uuid;
    private final long epoch;
    private final boolean isClean;
    private final boolean isWriterAlive;
    private final OptionalLong firstLsn;
    private final OptionalLong lastLsn;
    private final long nextLsn;
    private final long durableSegment;
    private final long durableOffset;
    private final Optional<Instant> firstTime;
    private final Optional<Instant> lastTime;
    private final List<SegmentStats> segments;
    private final long spares;
    private final long values;
    private final long diskBytes;
    private final long validBytes;
    private final RecoveryReport recovery;

    LogInfo(Fields fields) {
        this.uuid = fields.uuid();
        this.epoch = fields.number();
        this.isClean = fields.yes();
        this.isWriterAlive = fields.yes();
        this.firstLsn = fields.optional();
        this.lastLsn = fields.optional();
        this.nextLsn = fields.number();
        this.durableSegment = fields.number();
        this.durableOffset = fields.number();
        this.firstTime = fields.optionalInstant();
        this.lastTime = fields.optionalInstant();
        this.segments = fields.list(SegmentStats::new);
        this.spares = fields.number();
        this.values = fields.number();
        this.diskBytes = fields.number();
        this.validBytes = fields.number();
        this.recovery = new RecoveryReport(fields);
    }

    /**
     * The log's identity.
     *
     * @return the uuid
     */
    public UUID uuid() {
        return uuid;
    }

    /**
     * The number of the last run of writing.
     *
     * @return the number
     */
    public long epoch() {
        return epoch;
    }

    /**
     * Whether the last writer closed the log in order.
     *
     * @return whether it is so
     */
    public boolean isClean() {
        return isClean;
    }

    /**
     * Whether a writer has it open now.
     *
     * @return whether it is so
     */
    public boolean isWriterAlive() {
        return isWriterAlive;
    }

    /**
     * The first record there is.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong firstLsn() {
        return firstLsn;
    }

    /**
     * The last record there is.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong lastLsn() {
        return lastLsn;
    }

    /**
     * The LSN the next record gets.
     *
     * @return the LSN
     */
    public long nextLsn() {
        return nextLsn;
    }

    /**
     * The segment of the place before which everything is known to be on stable storage. There may be more.
     *
     * @return the number
     */
    public long durableSegment() {
        return durableSegment;
    }

    /**
     * The offset of that place.
     *
     * @return the offset
     */
    public long durableOffset() {
        return durableOffset;
    }

    /**
     * When the first record was committed.
     *
     * @return the time, if there is a record
     */
    public Optional<Instant> firstTime() {
        return firstTime;
    }

    /**
     * When the last record was committed.
     *
     * @return the time, if there is a record
     */
    public Optional<Instant> lastTime() {
        return lastTime;
    }

    /**
     * The segments, oldest first.
     *
     * @return the segments
     */
    public List<SegmentStats> segments() {
        return segments;
    }

    /**
     * Spare segments waiting.
     *
     * @return the number
     */
    public long spares() {
        return spares;
    }

    /**
     * Keys of the log's values.
     *
     * @return the number
     */
    public long values() {
        return values;
    }

    /**
     * Bytes of all files in the log's directory.
     *
     * @return the number
     */
    public long diskBytes() {
        return diskBytes;
    }

    /**
     * Bytes of valid frames: records, trailers and whatever stands between them.
     *
     * @return the number
     */
    public long validBytes() {
        return validBytes;
    }

    /**
     * What an opening for writing would find and decide now.
     *
     * @return the report
     */
    public RecoveryReport recovery() {
        return recovery;
    }
}
