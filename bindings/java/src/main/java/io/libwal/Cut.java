package io.libwal;

/**
 * Bytes at the end of a log that belong to no whole commit: nothing acknowledged is among them.
 *
 * @since 0.1.0
 */
public final class Cut {
    private final long segment;
    private final long offset;
    private final long bytes;
    private final String reason;

    Cut(Fields fields) {
        this.segment = fields.number();
        this.offset = fields.number();
        this.bytes = fields.number();
        this.reason = fields.text();
    }

    /**
     * The segment.
     *
     * @return the number
     */
    public long segment() {
        return segment;
    }

    /**
     * Where in its file the valid bytes end.
     *
     * @return the offset
     */
    public long offset() {
        return offset;
    }

    /**
     * How many bytes were cut off.
     *
     * @return the number
     */
    public long bytes() {
        return bytes;
    }

    /**
     * What was found there.
     *
     * @return the text
     */
    public String reason() {
        return reason;
    }
}
