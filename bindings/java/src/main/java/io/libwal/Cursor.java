package io.libwal;

import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.time.Instant;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A position between two records of a log: {@link #next} gives the record after it and moves past it, {@link #prev} the one
 * before it and moves back.
 *
 * <p>A cursor sees records once they are visible at the log's level, and verifies each one it returns. It never blocks
 * writers and is not blocked by them. At the end of the log it ends; asked again, it goes on where more was appended. One
 * thread uses it at a time: a second one is told so by an {@link IllegalStateException}. It may be closed from any thread.
 *
 * @since 0.1.0
 */
public final class Cursor implements AutoCloseable, Iterable<Record> {
    private static final int AHEAD_BYTES = 64 * 1024;
    private static final int AHEAD_RECORDS = 256;

    /** Kept reachable: its handle is needed as long as this is used. */
    private final Log log;
    private final long address;
    private final Handle handle;
    /** What an iterator has read ahead, and the next of it. */
    private PackedRecords ahead;
    private int aheadNext;
    /** The record an iterator returned last, 0 when another call has returned one since. */
    private long iterated;

    Cursor(Log log, long address) {
        this.log = log;
        this.address = address;
        this.handle = Handle.of(this, address, "a cursor of " + log, Native::cursorFree);
    }

    /**
     * The record after the position, and moves past it.
     *
     * @return the record, null at the end, where a later call may find more
     * @throws WalException {@link WalTrimmedException} when the position was trimmed away, {@link WalTruncatedException}
     *     when it was truncated away: told once, after which the cursor stands behind the last record that was kept;
     *     {@link WalCorruptException} and {@link WalIoException} leave the position as it is
     * @throws WalClosedException when this was closed, and at the end of a log that was closed
     */
    public Record next() throws WalException {
        try {
            settle();
            Record record = Native.cursorNext(address);
            iterated = record == null ? iterated : 0;
            return record;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The record before the position, and moves back before it.
     *
     * @return the record, null at the beginning
     * @throws WalException as {@link #next}
     */
    public Record prev() throws WalException {
        try {
            settle();
            Record record = Native.cursorPrev(address);
            iterated = record == null ? iterated : 0;
            return record;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Reads as many records as have room, and moves past them. When not even one has, more room is made.
     *
     * @param into gets the records in place of what was in it
     * @return how many records, 0 at the end
     * @throws WalException as {@link #next}; where records come before the trouble they are returned, and the next call
     *     is told
     */
    public int read(PackedRecords into) throws WalException {
        return read(into, Integer.MAX_VALUE);
    }

    /**
     * The same with a limit.
     *
     * @param into gets the records in place of what was in it
     * @param countMax how many at the most
     * @return how many records, 0 at the end
     * @throws WalException as {@link #read(PackedRecords)}
     */
    public int read(PackedRecords into, int countMax) throws WalException {
        if (countMax < 1) {
            throw new IllegalArgumentException("countMax is " + countMax + ": it must be 1 or more");
        }
        try {
            settle();
            int count = into.fill((memory, capacity) -> Native.cursorRead(address, memory, capacity, countMax));
            iterated = count == 0 ? iterated : 0;
            return count;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Moves to another position. After an exception the cursor is where it was.
     *
     * @param to the position
     * @throws WalException {@link WalTrimmedException} for an LSN before the first record, {@link WalNotFoundException} for
     *     one after the next LSN, {@link WalCorruptException} or {@link WalIoException} when a time cannot be looked up
     */
    public void seek(Position to) throws WalException {
        try {
            settle();
            Native.cursorSeek(address, to.kind, to.number);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Moves before the first record committed at a time or later: to the end when there is none.
     *
     * @param time the time
     * @throws WalException as {@link #seek}
     */
    public void seekTime(Instant time) throws WalException {
        seek(Position.time(time));
    }

    /**
     * When the record last returned was committed.
     *
     * @return the time
     * @throws WalException {@link WalTrimmedException} or {@link WalNotFoundException} when that record is gone,
     *     {@link WalCorruptException}, {@link WalIoException}
     * @throws IllegalArgumentException before the first record was returned
     */
    public Instant time() throws WalException {
        try {
            return iterated == 0 ? Times.instant(Native.cursorTime(address)) : log.timeOf(iterated);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The LSN of the record after the position, whether it is there already or not.
     *
     * @return the LSN
     */
    public long nextLsn() {
        try {
            return isAhead() ? ahead.lsn(aheadNext) : Native.cursorNextLsn(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Goes over the records from the position to the end, moving it along. What goes wrong is thrown as an
     * {@link UncheckedIOException} with the {@link WalException}.
     */
    @Override
    public Iterator<Record> iterator() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                try {
                    return isAhead() || readAhead();
                } catch (WalException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public Record next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Record record = ahead.record(aheadNext++);
                iterated = record.lsn();
                return record;
            }
        };
    }

    /**
     * The records from the position to the end, as {@link #iterator} goes over them. Closing the stream closes the cursor.
     *
     * @return a sequential stream
     */
    public Stream<Record> stream() {
        int characteristics = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.DISTINCT;
        Spliterator<Record> records = Spliterators.spliteratorUnknownSize(iterator(), characteristics);
        return StreamSupport.stream(records, false).onClose(this::close);
    }

    /** Lets go of what the cursor holds. Closing it again does nothing. */
    @Override
    public void close() {
        handle.closed();
        try {
            Native.cursorClose(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private boolean isAhead() {
        return ahead != null && aheadNext < ahead.count();
    }

    private boolean readAhead() throws WalException {
        if (ahead == null) {
            ahead = PackedRecords.allocate(AHEAD_BYTES);
        }
        aheadNext = 0;
        try {
            return ahead.fill((memory, capacity) -> Native.cursorRead(address, memory, capacity, AHEAD_RECORDS)) > 0;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Goes back before what was read ahead and not asked for. */
    private void settle() throws WalException {
        if (isAhead()) {
            long next = ahead.lsn(aheadNext);
            ahead.clear();
            Native.cursorSeek(address, Position.at(next).kind, next);
        }
    }
}
