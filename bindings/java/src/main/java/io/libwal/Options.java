package io.libwal;

import java.time.Duration;
import java.util.Objects;

/**
 * How a log is opened. Immutable; only the level is a decision most users make.
 *
 * <pre>{@code
 * Options options = Options.builder().level(Level.OS).segmentBytes(1 << 20).build();
 * }</pre>
 *
 * @since 0.1.0
 */
public final class Options {
    /** In the order of the list all languages share; -1 leaves the decision to the engine. */
    private static final long[] UNSET = {3, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, 1, 0, 0, 0};

    private static final Options DEFAULTS = new Options(UNSET);

    private final long[] numbers;

    private Options(long[] numbers) {
        this.numbers = numbers.clone();
    }

    /**
     * What a log is opened with unless it is told otherwise: every record survives power loss.
     *
     * @return the defaults
     */
    public static Options defaults() {
        return DEFAULTS;
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder(UNSET);
    }

    /**
     * Starts from these options.
     *
     * @return a builder
     */
    public Builder toBuilder() {
        return new Builder(numbers);
    }

    long[] numbers() {
        return numbers;
    }

    /**
     * Collects options. The engine checks each against its range when the log is opened, and names the one that is wrong in an
     * {@link IllegalArgumentException}.
     *
     * @since 0.1.0
     */
    public static final class Builder {
        private final long[] numbers;

        private Builder(long[] numbers) {
            this.numbers = numbers.clone();
        }

        /**
         * The options as they are now.
         *
         * @return immutable options
         */
        public Options build() {
            return new Options(numbers);
        }

        /**
         * What an acknowledgement promises unless the call says otherwise; {@link Level#DISK} unless set.
         *
         * @param level level
         * @return this builder
         */
        public Builder level(Level level) {
            numbers[0] = level.code;
            return this;
        }

        /**
         * Sync at the latest this long after a record was written, at the levels {@link Level#OS} and {@link Level#BUFFERED}.
         *
         * @param syncEvery the time
         * @return this builder
         */
        public Builder syncEvery(Duration syncEvery) {
            numbers[1] = Times.nanos(Objects.requireNonNull(syncEvery, "syncEvery"));
            return this;
        }

        /**
         * Sync at the latest when this many bytes were written since the last sync.
         *
         * @param syncBytes the bytes
         * @return this builder
         */
        public Builder syncBytes(long syncBytes) {
            numbers[2] = count("syncBytes", syncBytes);
            return this;
        }

        /**
         * Size of a segment file, 64 KiB to 4 GiB; 64 MiB unless set.
         *
         * @param segmentBytes the bytes
         * @return this builder
         */
        public Builder segmentBytes(long segmentBytes) {
            numbers[3] = count("segmentBytes", segmentBytes);
            return this;
        }

        /**
         * The longest record accepted; 64 MiB unless set.
         *
         * @param recordBytesMax the bytes
         * @return this builder
         */
        public Builder recordBytesMax(long recordBytesMax) {
            numbers[4] = count("recordBytesMax", recordBytesMax);
            return this;
        }

        /**
         * The largest batch accepted, the sum of its records; 256 MiB unless set.
         *
         * @param batchBytesMax the bytes
         * @return this builder
         */
        public Builder batchBytesMax(long batchBytesMax) {
            numbers[5] = count("batchBytesMax", batchBytesMax);
            return this;
        }

        /**
         * Memory for records on their way to the kernel; appenders wait when it is full. 16 MiB unless set.
         *
         * @param ringBytes the bytes
         * @return this builder
         */
        public Builder ringBytes(long ringBytes) {
            numbers[6] = count("ringBytes", ringBytes);
            return this;
        }

        /**
         * How long a flush may wait for more records, where latency is traded for fewer syncs; zero, the fastest, unless set.
         *
         * @param maxBatchDelay the time
         * @return this builder
         */
        public Builder maxBatchDelay(Duration maxBatchDelay) {
            numbers[7] = Times.nanos(Objects.requireNonNull(maxBatchDelay, "maxBatchDelay"));
            return this;
        }

        /**
         * About how much one flush takes at the most; 4 MiB unless set.
         *
         * @param maxBatchBytes the bytes
         * @return this builder
         */
        public Builder maxBatchBytes(long maxBatchBytes) {
            numbers[8] = count("maxBatchBytes", maxBatchBytes);
            return this;
        }

        /**
         * Size of all segment files together that is not exceeded; at least two segments. No limit unless set.
         *
         * @param maxBytes the bytes
         * @return this builder
         */
        public Builder maxBytes(long maxBytes) {
            numbers[9] = count("maxBytes", maxBytes);
            return this;
        }

        /**
         * What happens at {@link #maxBytes}; {@link AtCapacity#REJECT} unless set.
         *
         * @param atCapacity what happens
         * @return this builder
         */
        public Builder atCapacity(AtCapacity atCapacity) {
            numbers[10] = atCapacity.ordinal();
            return this;
        }

        /**
         * Trims whole segments at the head while about this many bytes of records are exceeded. Off unless set.
         *
         * @param retentionBytes the bytes
         * @return this builder
         */
        public Builder retentionBytes(long retentionBytes) {
            numbers[11] = count("retentionBytes", retentionBytes);
            return this;
        }

        /**
         * Trims whole segments at the head when their records were committed longer ago than about this. Off unless set.
         *
         * @param retentionAge the age
         * @return this builder
         */
        public Builder retentionAge(Duration retentionAge) {
            numbers[12] = Times.nanos(Objects.requireNonNull(retentionAge, "retentionAge"));
            return this;
        }

        /**
         * Trims whole segments at the head while about this many records are exceeded. Off unless set.
         *
         * @param retentionRecords the count
         * @return this builder
         */
        public Builder retentionRecords(long retentionRecords) {
            numbers[13] = count("retentionRecords", retentionRecords);
            return this;
        }

        /**
         * How long opening waits for another writer to go; unless set it fails with {@link WalLockedException} at once.
         *
         * @param lockWait the time
         * @return this builder
         */
        public Builder lockWait(Duration lockWait) {
            numbers[14] = Times.nanos(Objects.requireNonNull(lockWait, "lockWait"));
            return this;
        }

        /**
         * The first LSN of a log that is created by this opening; 1 unless set.
         *
         * @param firstLsn the LSN
         * @return this builder
         */
        public Builder firstLsn(long firstLsn) {
            numbers[15] = count("firstLsn", firstLsn);
            return this;
        }

        /**
         * Whether a missing log is created; otherwise opening it fails with {@link WalNotFoundException}. Yes unless set.
         *
         * @param create whether it is created
         * @return this builder
         */
        public Builder create(boolean create) {
            numbers[16] = create ? 1 : 0;
            return this;
        }

        /**
         * How the active segment is written; {@link IoMode#AUTO} unless set.
         *
         * @param io how
         * @return this builder
         */
        public Builder io(IoMode io) {
            numbers[17] = io.ordinal();
            return this;
        }

        /**
         * How records are read; {@link ReadMode#MAP} unless set.
         *
         * @param readMode how
         * @return this builder
         */
        public Builder readMode(ReadMode readMode) {
            numbers[18] = readMode.ordinal();
            return this;
        }

        /**
         * Pads every commit to a full block, for devices that may damage the neighbours of a sector they are writing when power
         * fails. No unless set.
         *
         * @param padToBlock whether it is padded
         * @return this builder
         */
        public Builder padToBlock(boolean padToBlock) {
            numbers[19] = padToBlock ? 1 : 0;
            return this;
        }

        private static long count(String name, long count) {
            if (count < 0) {
                throw new IllegalArgumentException(name + " is " + count + ": it cannot be negative");
            }
            return count;
        }
    }
}
