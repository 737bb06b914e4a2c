package io.libwal;

import java.lang.ref.Reference;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.time.Duration;

/**
 * A cursor that waits at the end of the log for records not yet there.
 *
 * <p>A wait ends when a record comes, the time is up, the thread is interrupted, or another thread closes the follower or
 * the log. One thread uses a follower at a time: a second one is told so by an {@link IllegalStateException}. While it
 * waits a virtual thread keeps its carrier: there, {@link Log#publisher} is the better choice.
 *
 * <pre>{@code
 * try (Follower follower = log.follow(Position.end())) {
 *     while (true) {
 *         handle(follower.next());
 *     }
 * }
 * }</pre>
 *
 * @since 0.1.0
 */
public final class Follower implements AutoCloseable {
    /** Kept reachable: its handle is needed as long as this is used. */
    private final Log log;
    private final long address;
    private final Handle handle;

    Follower(Log log, long address) {
        this.log = log;
        this.address = address;
        this.handle = Handle.of(this, address, "a follower of " + log, Native::followerFree);
    }

    /**
     * The next record; waits until there is one.
     *
     * @return the record, never null
     * @throws WalException as {@link Cursor#next}; {@link WalPoisonedException} when no further record will come and
     *     everything visible was returned
     * @throws WalClosedException when this was closed, or the log, and everything visible was returned
     * @throws InterruptedException when the thread is interrupted and there is no record
     */
    public Record next() throws WalException, InterruptedException {
        return await(-1, nanos -> Native.followerNext(address, nanos));
    }

    /**
     * The next record, waited for at most so long.
     *
     * @param timeout how long; not at all if it is zero or less
     * @return the record, null when the time is up
     * @throws WalException as {@link #next()}
     * @throws InterruptedException when the thread is interrupted and there is no record
     */
    public Record next(Duration timeout) throws WalException, InterruptedException {
        return await(Times.nanos(timeout), nanos -> Native.followerNext(address, nanos));
    }

    /**
     * Waits for a record, then reads as many as are there and have room.
     *
     * @param into gets the records in place of what was in it
     * @param timeout how long to wait
     * @return how many records, 0 when the time is up
     * @throws WalException as {@link #next()}; where records come before the trouble they are returned, and the next call
     *     is told
     * @throws InterruptedException when the thread is interrupted and there is no record
     */
    public int read(PackedRecords into, Duration timeout) throws WalException, InterruptedException {
        Integer count = await(Times.nanos(timeout), nanos -> {
            int found = into.fill((memory, capacity) ->
                    Native.followerRead(address, nanos, memory, capacity, Integer.MAX_VALUE));
            return found == 0 ? null : found;
        });
        return count == null ? 0 : count;
    }

    /**
     * Moves to another position.
     *
     * @param to the position
     * @throws WalException as {@link Cursor#seek}
     */
    public void seek(Position to) throws WalException {
        try {
            Native.followerSeek(address, to.kind, to.number);
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
            return Native.followerNextLsn(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Ends a wait and lets go of what the follower holds. Closing it again does nothing. */
    @Override
    public void close() {
        handle.closed();
        try {
            Native.followerClose(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Has the log's dispatcher told under a token when a poll is worth while. */
    void tell(long token) throws WalException {
        log.call(handle -> {
            Native.followerTell(address, handle, token);
            return null;
        });
    }

    /** The next record if there is one now; null when the dispatcher will be told. */
    Record poll() throws WalException {
        try {
            return Native.followerPoll(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** A call that waits so many nanoseconds, for ever if negative, and returns null when there is nothing. */
    private interface Call<T> {
        T within(long nanos) throws WalException;
    }

    private <T> T await(long nanos, Call<T> call) throws WalException, InterruptedException {
        try {
            T found = call.within(0);
            long deadline = System.nanoTime() + nanos;
            long left = nanos;
            while (found == null && left != 0) {
                Wait wait = new Wait(this);
                found = wait.run(call, left);
                // A record that came at the same moment is not lost: the thread stays interrupted.
                if (found == null && Thread.interrupted()) {
                    throw new InterruptedException("interrupted while waiting for a record");
                }
                left = nanos < 0 ? -1 : Math.max(0, deadline - System.nanoTime());
            }
            return found;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** A wait in the native library that an interrupt ends: the way the JDK's own channels do it. */
    private static final class Wait extends AbstractInterruptibleChannel {
        private final Follower follower;

        Wait(Follower follower) {
            this.follower = follower;
        }

        <T> T run(Call<T> call, long nanos) throws WalException {
            T found = null;
            try {
                begin();
                found = Thread.currentThread().isInterrupted() ? null : call.within(nanos);
            } finally {
                try {
                    end(true);
                } catch (AsynchronousCloseException e) {
                    // The thread's status says so too.
                }
            }
            return found;
        }

        @Override
        protected void implCloseChannel() {
            Native.followerInterrupt(follower.address);
        }
    }
}
