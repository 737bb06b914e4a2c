package io.libwal;

import java.time.Duration;
import java.util.List;

/**
 * Latencies: power-of-two buckets of nanoseconds with four steps each.
 *
 * @since 0.1.0
 */
public final class Histogram {
    private final long count;
    private final Duration max;
    private final Duration mean;
    private final List<Bucket> buckets;

    Histogram(Fields fields) {
        this.count = fields.number();
        this.max = fields.duration();
        this.mean = fields.duration();
        this.buckets = fields.list(Bucket::new);
    }

    /**
     * How many values were recorded.
     *
     * @return the count
     */
    public long count() {
        return count;
    }

    /**
     * The largest value.
     *
     * @return the time
     */
    public Duration max() {
        return max;
    }

    /**
     * The mean, zero when empty.
     *
     * @return the time
     */
    public Duration mean() {
        return mean;
    }

    /**
     * The buckets that hold values.
     *
     * @return the buckets, smallest first
     */
    public List<Bucket> buckets() {
        return buckets;
    }

    /**
     * Values of about the same size.
     *
     * @since 0.1.0
     */
    public static final class Bucket {
        private final Duration bound;
        private final long count;

        Bucket(Fields fields) {
            this.bound = fields.duration();
            this.count = fields.number();
        }

        /**
         * The largest value the bucket can hold.
         *
         * @return the time
         */
        public Duration bound() {
            return bound;
        }

        /**
         * How many values it holds.
         *
         * @return the count
         */
        public long count() {
            return count;
        }
    }
}
