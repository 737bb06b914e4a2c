package io.libwal;

/**
 * Event counts since the log was opened.
 *
 * @since 0.1.0
 */
public final class Counters {
    private final long records;
    private final long recordBytes;
    private final long commits;
    private final long bytesWritten;
    private final long syncs;
    private final long stateSyncs;
    private final long rotations;
    private final long spareMisses;
    private final long recycled;
    private final long trimmed;
    private final long waitsForRoom;
    private final long flushesInline;
    private final long flushesBackground;
    private final long reads;

    Counters(Fields fields) {
        this.records = fields.number();
        this.recordBytes = fields.number();
        this.commits = fields.number();
        this.bytesWritten = fields.number();
        this.syncs = fields.number();
        this.stateSyncs = fields.number();
        this.rotations = fields.number();
        this.spareMisses = fields.number();
        this.recycled = fields.number();
        this.trimmed = fields.number();
        this.waitsForRoom = fields.number();
        this.flushesInline = fields.number();
        this.flushesBackground = fields.number();
        this.reads = fields.number();
    }

    /**
     * Records appended.
     *
     * @return the count
     */
    public long records() {
        return records;
    }

    /**
     * Payload bytes of them.
     *
     * @return the count
     */
    public long recordBytes() {
        return recordBytes;
    }

    /**
     * Commits written.
     *
     * @return the count
     */
    public long commits() {
        return commits;
    }

    /**
     * Bytes given to the kernel
     *
     * @return the count
     */
    public long bytesWritten() {
        return bytesWritten;
    }

    /**
     * Data syncs of segments, on the commit path.
     *
     * @return the count
     */
    public long syncs() {
        return syncs;
    }

    /**
     * Syncs of the state file.
     *
     * @return the count
     */
    public long stateSyncs() {
        return stateSyncs;
    }

    /**
     * Segments sealed.
     *
     * @return the count
     */
    public long rotations() {
        return rotations;
    }

    /**
     * Segments that had to be made on the commit path because no spare was ready.
     *
     * @return the count
     */
    public long spareMisses() {
        return spareMisses;
    }

    /**
     * Segments reused.
     *
     * @return the count
     */
    public long recycled() {
        return recycled;
    }

    /**
     * Segments trimmed.
     *
     * @return the count
     */
    public long trimmed() {
        return trimmed;
    }

    /**
     * Times an appender had to wait for room.
     *
     * @return the count
     */
    public long waitsForRoom() {
        return waitsForRoom;
    }

    /**
     * Flushes done by a waiting appender itself.
     *
     * @return the count
     */
    public long flushesInline() {
        return flushesInline;
    }

    /**
     * Flushes done by a shared background thread.
     *
     * @return the count
     */
    public long flushesBackground() {
        return flushesBackground;
    }

    /**
     * Records read.
     *
     * @return the count
     */
    public long reads() {
        return reads;
    }
}
