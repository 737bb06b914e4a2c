package io.libwal;

import java.util.OptionalLong;
import java.util.UUID;

/**
 * A finished copy.
 *
 * @since 0.1.0
 */
public final class CopyReport {
    private final long records;
    private final OptionalLong firstLsn;
    private final OptionalLong lastLsn;
    private final UUID uuid;

    CopyReport(Fields fields) {
        this.records = fields.number();
        this.firstLsn = fields.optional();
        this.lastLsn = fields.optional();
        this.uuid = fields.uuid();
    }

    /**
     * Records copied.
     *
     * @return the number
     */
    public long records() {
        return records;
    }

    /**
     * The first of them.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong firstLsn() {
        return firstLsn;
    }

    /**
     * The last of them.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong lastLsn() {
        return lastLsn;
    }

    /**
     * The copy's identity.
     *
     * @return the uuid
     */
    public UUID uuid() {
        return uuid;
    }
}
