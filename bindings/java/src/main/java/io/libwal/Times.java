package io.libwal;

import java.time.Duration;
import java.time.Instant;

/** Times as the native library has them: nanoseconds, since 1970 for a moment. */
final class Times {
    private static final long SECOND = 1_000_000_000L;

    private Times() {}

    /** 0 for a moment before 1970, the largest number for one after 2262. */
    static long nanos(Instant time) {
        if (time.getEpochSecond() < 0) {
            return 0;
        }
        try {
            return Math.addExact(Math.multiplyExact(time.getEpochSecond(), SECOND), time.getNano());
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }

    static Instant instant(long nanos) {
        return Instant.ofEpochSecond(nanos / SECOND, nanos % SECOND);
    }

    /** 0 for a negative duration, the largest number for one of more than 292 years. */
    static long nanos(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }
}
