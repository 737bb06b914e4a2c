package io.libwal;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a verification found.
 *
 * @since 0.1.0
 */
public final class VerifyReport {
    private final List<Finding> findings;
    private final long segments;
    private final long commits;
    private final long records;
    private final long bytes;
    private final OptionalLong firstLsn;
    private final OptionalLong lastLsn;
    private final Optional<Cut> tornTail;

    VerifyReport(Fields fields) {
        this.findings = fields.list(Finding::new);
        this.segments = fields.number();
        this.commits = fields.number();
        this.records = fields.number();
        this.bytes = fields.number();
        this.firstLsn = fields.optional();
        this.lastLsn = fields.optional();
        this.tornTail = fields.yes() ? Optional.of(new Cut(fields)) : Optional.empty();
    }

    /**
     * Everything that is wrong; empty when every byte of the log is what was written.
     *
     * @return the findings
     */
    public List<Finding> findings() {
        return findings;
    }

    /**
     * Segments read.
     *
     * @return the number
     */
    public long segments() {
        return segments;
    }

    /**
     * Commits found intact.
     *
     * @return the number
     */
    public long commits() {
        return commits;
    }

    /**
     * Records found intact, trimmed ones left out.
     *
     * @return the number
     */
    public long records() {
        return records;
    }

    /**
     * Bytes found intact.
     *
     * @return the number
     */
    public long bytes() {
        return bytes;
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
     * The last record found intact.
     *
     * @return the LSN, if there is one
     */
    public OptionalLong lastLsn() {
        return lastLsn;
    }

    /**
     * Bytes at the end that belong to no whole commit: on their way, beside a live writer; cut off by the next opening, after
     * a crash. No damage.
     *
     * @return the bytes, if there are any
     */
    public Optional<Cut> tornTail() {
        return tornTail;
    }
}
