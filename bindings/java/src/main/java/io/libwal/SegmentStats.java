package io.libwal;

import java.time.Instant;
import java.util.OptionalLong;

/**
 * One segment of a log.
 *
 * @since 0.1.0
 */
public final class SegmentStats {
    private final long id;
    private final long firstLsn;
    private final OptionalLong lastLsn;
    private final long end;
    private final long fileBytes;
    private final boolean isSealed;
    private final long epoch;
    private final Instant created;

    SegmentStats(Fields fields) {
        this.id = fields.number();
        this.firstLsn = fields.number();
        this.lastLsn = fields.optional();
        this.end = fields.number();
        this.fileBytes = fields.number();
        this.isSealed = fields.yes();
        this.epoch = fields.number();
        this.created = fields.instant();
    }

    /**
     * Its number and file name.
     *
     * @return the number
     */
    public long id() {
        return id;
    }

    /**
     * The LSN of its first record (of its first possible record when it is empty).
     *
     * @return the LSN
     */
    public long firstLsn() {
        return firstLsn;
    }

    /**
     * Its last record.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong lastLsn() {
        return lastLsn;
    }

    /**
     * Where its valid bytes end.
     *
     * @return the offset
     */
    public long end() {
        return end;
    }

    /**
     * The size of its file.
     *
     * @return the number
     */
    public long fileBytes() {
        return fileBytes;
    }

    /**
     * Whether it is sealed: nothing in it changes any more.
     *
     * @return whether it is so
     */
    public boolean isSealed() {
        return isSealed;
    }

    /**
     * The number of the run of writing that made it.
     *
     * @return the number
     */
    public long epoch() {
        return epoch;
    }

    /**
     * When it was started.
     *
     * @return the time
     */
    public Instant created() {
        return created;
    }
}
