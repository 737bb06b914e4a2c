package io.libwal;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A snapshot of a log's state; each figure is exact, all of them together are not one instant.
 *
 * @since 0.1.0
 */
public final class Stats {
    private final Level level;
    private final long epoch;
    private final OptionalLong firstLsn;
    private final OptionalLong lastLsn;
    private final long nextLsn;
    private final OptionalLong submittedLsn;
    private final OptionalLong writtenLsn;
    private final OptionalLong durableLsn;
    private final Optional<WalException> poisoned;
    private final boolean isDirectIo;
    private final Counters counters;
    private final Histogram writeLatency;
    private final Histogram syncLatency;
    private final List<SegmentStats> segments;
    private final long spares;
    private final long ringBytesUsed;

    Stats(Fields fields) {
        this.level = Level.of(fields.number());
        this.epoch = fields.number();
        this.firstLsn = fields.optional();
        this.lastLsn = fields.optional();
        this.nextLsn = fields.number();
        this.submittedLsn = fields.optional();
        this.writtenLsn = fields.optional();
        this.durableLsn = fields.optional();
        this.poisoned = fields.yes() ? Optional.of(fields.error()) : Optional.empty();
        this.isDirectIo = fields.yes();
        this.counters = new Counters(fields);
        this.writeLatency = new Histogram(fields);
        this.syncLatency = new Histogram(fields);
        this.segments = fields.list(SegmentStats::new);
        this.spares = fields.number();
        this.ringBytesUsed = fields.number();
    }

    /**
     * The log's own level.
     *
     * @return the level
     */
    public Level level() {
        return level;
    }

    /**
     * The number of this run of writing.
     *
     * @return the number
     */
    public long epoch() {
        return epoch;
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
     * The last record readers see.
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
     * The last record handed to the engine.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong submittedLsn() {
        return submittedLsn;
    }

    /**
     * The last record given to the kernel.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong writtenLsn() {
        return writtenLsn;
    }

    /**
     * The last record on stable storage.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong durableLsn() {
        return durableLsn;
    }

    /**
     * The first cause, when the log is poisoned.
     *
     * @return the error, not thrown
     */
    public Optional<WalException> poisoned() {
        return poisoned;
    }

    /**
     * Whether the active segment is written past the page cache.
     *
     * @return whether it is so
     */
    public boolean isDirectIo() {
        return isDirectIo;
    }

    /**
     * Event counts since the log was opened.
     *
     * @return the counts
     */
    public Counters counters() {
        return counters;
    }

    /**
     * Time from one flush's start to its bytes being in the kernel.
     *
     * @return the latencies
     */
    public Histogram writeLatency() {
        return writeLatency;
    }

    /**
     * Time of a data sync.
     *
     * @return the latencies
     */
    public Histogram syncLatency() {
        return syncLatency;
    }

    /**
     * The segments, oldest first; the last one is active.
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
     * Bytes of memory in use by records on their way.
     *
     * @return the number
     */
    public long ringBytesUsed() {
        return ringBytesUsed;
    }
}
