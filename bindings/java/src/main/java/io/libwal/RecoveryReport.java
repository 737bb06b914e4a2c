package io.libwal;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What an opening found and did.
 *
 * @since 0.1.0
 */
public final class RecoveryReport {
    private final String caseLabel;
    private final boolean isCreated;
    private final OptionalLong firstLsn;
    private final OptionalLong lastLsn;
    private final Optional<Cut> cut;
    private final List<String> notes;
    private final long bytesScanned;
    private final long commitsScanned;
    private final long bytesRewritten;
    private final Duration duration;

    RecoveryReport(Fields fields) {
        this.caseLabel = fields.text();
        this.isCreated = fields.yes();
        this.firstLsn = fields.optional();
        this.lastLsn = fields.optional();
        this.cut = fields.yes() ? Optional.of(new Cut(fields)) : Optional.empty();
        this.notes = fields.list(Fields::text);
        this.bytesScanned = fields.number();
        this.commitsScanned = fields.number();
        this.bytesRewritten = fields.number();
        this.duration = fields.duration();
    }

    /**
     * The row of the decision table in libwal's document on durability: {@code created}, {@code clean}, {@code whole} or
     * {@code torn-tail}.
     *
     * @return the label
     */
    public String caseLabel() {
        return caseLabel;
    }

    /**
     * Whether the log was created by this opening.
     *
     * @return whether it is so
     */
    public boolean isCreated() {
        return isCreated;
    }

    /**
     * The first record.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong firstLsn() {
        return firstLsn;
    }

    /**
     * The last record.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong lastLsn() {
        return lastLsn;
    }

    /**
     * The tail that was cut off.
     *
     * @return the cut, if there was one
     */
    public Optional<Cut> cut() {
        return cut;
    }

    /**
     * Anything else worth knowing, a sentence each.
     *
     * @return the notes
     */
    public List<String> notes() {
        return notes;
    }

    /**
     * Bytes of commits looked at.
     *
     * @return the number
     */
    public long bytesScanned() {
        return bytesScanned;
    }

    /**
     * Commits looked at.
     *
     * @return the number
     */
    public long commitsScanned() {
        return commitsScanned;
    }

    /**
     * Bytes written again and synced before anything was served, because a sync that failed unseen may have left them in the
     * page cache alone.
     *
     * @return the number
     */
    public long bytesRewritten() {
        return bytesRewritten;
    }

    /**
     * How long opening took.
     *
     * @return the time
     */
    public Duration duration() {
        return duration;
    }
}
