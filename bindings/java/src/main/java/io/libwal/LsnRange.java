package io.libwal;

import java.io.Serializable;

/**
 * The LSNs of records in a row, both ends included; never empty.
 *
 * @since 0.1.0
 */
public final class LsnRange implements Serializable {
    private static final long serialVersionUID = 1L;

    /** The first LSN. */
    private final long first;
    /** The last LSN. */
    private final long last;

    LsnRange(long first, long last) {
        this.first = first;
        this.last = last;
    }

    /**
     * The first LSN.
     *
     * @return the first LSN
     */
    public long first() {
        return first;
    }

    /**
     * The last LSN.
     *
     * @return the last LSN
     */
    public long last() {
        return last;
    }

    /**
     * How many records there are.
     *
     * @return the count
     */
    public long count() {
        return last - first + 1;
    }

    /**
     * Whether an LSN is one of these.
     *
     * @param lsn the LSN
     * @return whether it lies in the range
     */
    public boolean contains(long lsn) {
        return first <= lsn && lsn <= last;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LsnRange && ((LsnRange) other).first == first && ((LsnRange) other).last == last;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(first) * 31 + Long.hashCode(last);
    }

    @Override
    public String toString() {
        return first + "-" + last;
    }
}
