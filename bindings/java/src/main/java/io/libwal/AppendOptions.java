package io.libwal;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * What one append asks for beyond the log's options. Immutable: each {@code with} gives a new one.
 *
 * <pre>{@code
 * log.append(record, AppendOptions.defaults().withLevel(Level.OS));
 * }</pre>
 *
 * @since 0.1.0
 */
public final class AppendOptions {
    private static final AppendOptions DEFAULTS = new AppendOptions(0, -1, -1);

    final int level;
    final long waitNanos;
    final long timeNanos;

    private AppendOptions(int level, long waitNanos, long timeNanos) {
        this.level = level;
        this.waitNanos = waitNanos;
        this.timeNanos = timeNanos;
    }

    /**
     * The log's own level, waiting for room as long as it takes, the clock's time.
     *
     * @return the defaults
     */
    public static AppendOptions defaults() {
        return DEFAULTS;
    }

    /**
     * The level of the append.
     *
     * @param level what its acknowledgement promises
     * @return the same with this level
     */
    public AppendOptions withLevel(Level level) {
        return new AppendOptions(level.code, waitNanos, timeNanos);
    }

    /**
     * How long the append may wait for room in memory, or for a trim at {@link AtCapacity#BLOCK}; it then fails with
     * {@link WalTimeoutException}, or at once with {@link WalWouldBlockException} if this is zero. How long the disk takes
     * does not count.
     *
     * @param wait the time
     * @return the same with this wait
     */
    public AppendOptions withWait(Duration wait) {
        return new AppendOptions(level, Times.nanos(Objects.requireNonNull(wait, "wait")), timeNanos);
    }

    /**
     * The commit time to record, for copies and imports. A log's times never go back: a time before the previous
     * commit's is raised to it.
     *
     * @param time the time
     * @return the same with this time
     */
    public AppendOptions withTime(Instant time) {
        return new AppendOptions(level, waitNanos, Times.nanos(Objects.requireNonNull(time, "time")));
    }
}
