package io.libwal;

import java.time.Instant;
import java.util.Objects;

/**
 * A place between two records of a log.
 *
 * @since 0.1.0
 */
public final class Position {
    private static final Position FIRST = new Position(0, 0);
    private static final Position END = new Position(1, 0);

    final int kind;
    final long number;

    private Position(int kind, long number) {
        this.kind = kind;
        this.number = number;
    }

    /**
     * Before the first record there is.
     *
     * @return the position
     */
    public static Position first() {
        return FIRST;
    }

    /**
     * After the last visible record.
     *
     * @return the position
     */
    public static Position end() {
        return END;
    }

    /**
     * Before a record, or where it will be when it is the next one.
     *
     * @param lsn the record's LSN
     * @return the position
     */
    public static Position at(long lsn) {
        return new Position(2, lsn);
    }

    /**
     * Before the first record committed at a time or later.
     *
     * @param time the time
     * @return the position
     */
    public static Position time(Instant time) {
        return new Position(3, Times.nanos(Objects.requireNonNull(time, "time")));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Position && ((Position) other).kind == kind && ((Position) other).number == number;
    }

    @Override
    public int hashCode() {
        return kind * 31 + Long.hashCode(number);
    }

    @Override
    public String toString() {
        switch (kind) {
            case 0:
                return "first";
            case 1:
                return "end";
            case 2:
                return "at " + number;
            default:
                return "time " + Times.instant(number);
        }
    }
}
