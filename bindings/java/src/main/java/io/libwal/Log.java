package io.libwal;

import java.io.InterruptedIOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.ForkJoinPool;

/**
 * A log: a directory with one append-only sequence of records.
 *
 * <p>One process writes a log at a time; any number read it, through {@link #openReadOnly}. Within the process every method
 * may be called by any number of threads at once, {@link #close} too: calls that are running then end in order, or with a
 * {@link WalClosedException}.
 *
 * @since 0.1.0
 */
public final class Log implements AutoCloseable {
    private final long address;
    private final Handle handle;
    private final RecoveryReport recovery;
    private final Path path;
    private final UUID uuid;
    private final Values values = new Values(this);
    private volatile Dispatcher dispatcher;

    private Log(Path path, Object[] opened) {
        Fields fields = new Fields(opened);
        this.recovery = new RecoveryReport(fields);
        this.path = path;
        this.uuid = fields.uuid();
        this.address = fields.number();
        this.handle = Handle.of(this, address, "the log " + path, Native::free);
    }

    /**
     * Opens a log for writing, with every default.
     *
     * @param path the log's directory, made if it is missing
     * @return the log
     * @throws WalException as {@link #open(Path, Options)}
     * @throws InterruptedIOException never with these options
     */
    public static Log open(Path path) throws WalException, InterruptedIOException {
        return open(path, Options.defaults());
    }

    /**
     * Opens a log for writing, and recovers it if it was not closed in order. {@link #recovery} says what was found.
     *
     * <p>When this returns, everything acknowledged before is there.
     *
     * @param path the log's directory
     * @param options how
     * @return the log
     * @throws WalException {@link WalLockedException} when another writer has it, {@link WalNotFoundException} when there is
     *     none and none is to be made, {@link WalCorruptException} when bytes that were durable are wrong or gone,
     *     {@link WalUnsupportedException}, {@link WalFullException}, {@link WalIoException}
     * @throws InterruptedIOException when the thread is interrupted while it waits for another writer to go
     * @throws IllegalArgumentException for an option out of its range
     */
    public static Log open(Path path, Options options) throws WalException, InterruptedIOException {
        return open(path, options, false);
    }

    /**
     * Opens a log for reading, beside a writer in this process or another one. Records appear as the writer makes them
     * visible.
     *
     * @param path the log's directory
     * @param options how
     * @return the log, which refuses what writes with an {@link IllegalArgumentException}
     * @throws WalException as {@link #open(Path, Options)}
     * @throws InterruptedIOException as {@link #open(Path, Options)}
     */
    public static Log openReadOnly(Path path, Options options) throws WalException, InterruptedIOException {
        return open(path, options, true);
    }

    private static Log open(Path path, Options options, boolean readOnly) throws WalException, InterruptedIOException {
        byte[] bytes = NativePath.of(path);
        long[] numbers = options.numbers();
        EventLog.hear();
        return new Log(path, Native.open(bytes, numbers, readOnly));
    }

    /**
     * Appends a record.
     *
     * <p>When this returns, the record survives power loss on a log at level {@link Level#DISK} (the default), the death of
     * the process at {@link Level#OS}; at {@link Level#BUFFERED} it is in the engine's memory.
     *
     * @param record the record; its bytes are copied before anything else
     * @return its LSN
     * @throws WalException {@link WalFullException} when it was surely not written; {@link WalIoException} when a write or
     *     sync failed and the outcome is not known until the log is reopened, {@link WalPoisonedException} from then on
     * @throws InterruptedIOException when the thread is interrupted while it waits for room; nothing was appended
     * @throws IllegalArgumentException for a record over the limit
     * @throws WalClosedException when the log was closed
     */
    public long append(byte[] record) throws WalException, InterruptedIOException {
        try {
            return Native.append(address, record, 0, record.length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Appends a part of an array as one record.
     *
     * <p>When this returns, the record is at the log's level, as with {@link #append(byte[])}.
     *
     * @param bytes holds the record
     * @param offset where it begins
     * @param length how many bytes it has
     * @return its LSN
     * @throws WalException as {@link #append(byte[])}
     * @throws InterruptedIOException as {@link #append(byte[])}
     * @throws IndexOutOfBoundsException when the part does not lie in the array
     */
    public long append(byte[] bytes, int offset, int length) throws WalException, InterruptedIOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        try {
            return Native.append(address, bytes, offset, length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Appends what lies between a buffer's position and its limit as one record, and moves the position to the limit. The
     * bytes of a direct buffer are taken from where they lie: who changes them meanwhile makes the record a mixture of old
     * and new ones.
     *
     * <p>When this returns, the record is at the log's level, as with {@link #append(byte[])}.
     *
     * @param record the record
     * @return its LSN
     * @throws WalException as {@link #append(byte[])}
     * @throws InterruptedIOException as {@link #append(byte[])}
     */
    public long append(ByteBuffer record) throws WalException, InterruptedIOException {
        int start = record.position();
        int length = record.remaining();
        long lsn;
        if (record.isDirect()) {
            try {
                lsn = Native.appendDirect(address, record, start, length);
            } finally {
                Reference.reachabilityFence(record);
                Reference.reachabilityFence(this);
            }
        } else if (record.hasArray()) {
            lsn = append(record.array(), record.arrayOffset() + start, length);
        } else {
            byte[] copy = new byte[length];
            record.duplicate().get(copy);
            lsn = append(copy);
        }
        record.position(start + length);
        return lsn;
    }

    /**
     * Appends a record under options of its own.
     *
     * <p>When this returns, the record is at the level of the options.
     *
     * @param record the record
     * @param options what this append asks for
     * @return its LSN
     * @throws WalException as {@link #append(byte[])}; {@link WalTimeoutException} and {@link WalWouldBlockException} as the
     *     options say
     * @throws InterruptedIOException as {@link #append(byte[])}
     */
    public long append(byte[] record, AppendOptions options) throws WalException, InterruptedIOException {
        return append(record, options, 0);
    }

    /**
     * Appends a record if the next LSN is the expected one. Tells a writer whose view is old, and whether an append of
     * unknown outcome arrived.
     *
     * <p>When this returns, the record is at the log's level, as with {@link #append(byte[])}.
     *
     * @param expected the LSN the record is to get
     * @param record the record
     * @return its LSN
     * @throws WalException {@link WalConflictException} with the next LSN when it is another one; otherwise as
     *     {@link #append(byte[])}
     * @throws InterruptedIOException as {@link #append(byte[])}
     * @throws IllegalArgumentException for a number that is no LSN
     */
    public long appendAt(long expected, byte[] record) throws WalException, InterruptedIOException {
        if (expected < 1) {
            throw new IllegalArgumentException(expected + " is not an LSN: they start at 1");
        }
        return append(record, AppendOptions.defaults(), expected);
    }

    private long append(byte[] record, AppendOptions options, long expected)
            throws WalException, InterruptedIOException {
        try {
            return Native.appendWith(address, record, 0, record.length, options.level, options.waitNanos,
                    options.timeNanos, expected);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Appends several records as one batch: after a crash all of them are there or none.
     *
     * <p>When this returns, they are at the log's level, as with {@link #append(byte[])}.
     *
     * @param records the records, at least one
     * @return their LSNs
     * @throws WalException as {@link #append(byte[])}
     * @throws InterruptedIOException as {@link #append(byte[])}
     * @throws IllegalArgumentException for no records at all, or too many bytes
     */
    public LsnRange appendBatch(Collection<byte[]> records) throws WalException, InterruptedIOException {
        return appendBatch(records, AppendOptions.defaults());
    }

    /**
     * Appends several records as one batch, under options of its own.
     *
     * <p>When this returns, they are at the level of the options.
     *
     * @param records the records, at least one
     * @param options what this append asks for
     * @return their LSNs
     * @throws WalException as {@link #append(byte[], AppendOptions)}
     * @throws InterruptedIOException as {@link #append(byte[])}
     */
    public LsnRange appendBatch(Collection<byte[]> records, AppendOptions options)
            throws WalException, InterruptedIOException {
        Packing packed = Packing.of(records);
        try {
            long first = Native.appendBatch(address, packed.bytes, packed.bytes.length, options.level, options.waitNanos,
                    options.timeNanos);
            return new LsnRange(first, first + packed.count - 1);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Appends the records that were {@linkplain PackedRecords#add(byte[]) added} as one batch; nothing is copied on the way.
     *
     * <p>When this returns, they are at the log's level, as with {@link #append(byte[])}.
     *
     * @param records the records, at least one; they stay as they are
     * @return their LSNs
     * @throws WalException as {@link #append(byte[])}
     * @throws InterruptedIOException as {@link #append(byte[])}
     * @throws IllegalArgumentException for no records at all, and for records that were read
     */
    public LsnRange appendBatch(PackedRecords records) throws WalException, InterruptedIOException {
        try {
            long first = records.appendTo(address, AppendOptions.defaults());
            return new LsnRange(first, first + records.count() - 1);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Hands a record to the engine and returns at once; waits only while there is no room for it.
     *
     * <p>When this returns, the record has its place in the log; when the future is completed, it is at the log's level. The
     * future is completed by a thread that completes those of all others: dependents that take long belong into an
     * executor ({@code thenApplyAsync}). Cancelling it takes nothing back.
     *
     * @param record the record; its bytes are copied before this returns
     * @return its LSN, or what {@link #append(byte[])} would have thrown
     */
    public CompletableFuture<Long> appendAsync(byte[] record) {
        return appendAsync(record, AppendOptions.defaults());
    }

    /**
     * The same under options of its own.
     *
     * @param record the record; its bytes are copied before this returns
     * @param options what this append asks for
     * @return its LSN, or what {@link #append(byte[], AppendOptions)} would have thrown
     */
    public CompletableFuture<Long> appendAsync(byte[] record, AppendOptions options) {
        Objects.requireNonNull(record, "record");
        InFlight.OfRecord future = new InFlight.OfRecord();
        submit(future, token -> Native.submit(address, token, record, 0, record.length, options.level, options.waitNanos,
                options.timeNanos));
        return future;
    }

    /**
     * Hands a batch to the engine, as {@link #appendAsync(byte[])} does a record.
     *
     * @param records the records, at least one; their bytes are copied before this returns
     * @return their LSNs, or what {@link #appendBatch(Collection)} would have thrown
     */
    public CompletableFuture<LsnRange> appendBatchAsync(Collection<byte[]> records) {
        return appendBatchAsync(records, AppendOptions.defaults());
    }

    /**
     * The same under options of its own.
     *
     * @param records the records, at least one; their bytes are copied before this returns
     * @param options what this append asks for
     * @return their LSNs, or what {@link #appendBatch(Collection, AppendOptions)} would have thrown
     */
    public CompletableFuture<LsnRange> appendBatchAsync(Collection<byte[]> records, AppendOptions options) {
        Packing packed = Packing.of(records);
        InFlight.OfBatch future = new InFlight.OfBatch();
        submit(future, token -> Native.submitBatch(address, token, packed.bytes, packed.bytes.length, options.level,
                options.waitNanos, options.timeNanos));
        return future;
    }

    private interface Submission {
        void under(long token) throws WalException, InterruptedIOException;
    }

    private void submit(InFlight.Waiting waiting, Submission submission) {
        int token = -1;
        InFlight inFlight = null;
        try {
            inFlight = dispatcher().inFlight;
            token = inFlight.add(waiting);
            submission.under(token);
        } catch (WalException | InterruptedIOException | RuntimeException e) {
            if (token >= 0) {
                inFlight.remove(token);
            }
            waiting.failed(e);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Made when it is first needed. */
    Dispatcher dispatcher() throws WalException {
        Dispatcher made = dispatcher;
        if (made != null) {
            return made;
        }
        synchronized (values) {
            if (dispatcher == null) {
                dispatcher = Dispatcher.start(Native.hub(address), "libwal-" + path.getFileName());
            }
            return dispatcher;
        }
    }

    /**
     * Waits until a record is durable, also when it is yet to be appended.
     *
     * <p>When this returns an LSN, every record up to it survives power loss.
     *
     * @param lsn the record's LSN
     * @param timeout how long to wait
     * @return the durable LSN, which may be a later one; empty when the time is up
     * @throws WalException {@link WalFullException} when the record that had this LSN was refused for want of room; the
     *     first cause when the log is poisoned
     * @throws InterruptedIOException when the thread is interrupted while it waits
     */
    public OptionalLong waitDurable(long lsn, Duration timeout) throws WalException, InterruptedIOException {
        try {
            return optional(Native.waitDurable(address, lsn, Times.nanos(timeout)));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Makes everything appended before the call durable.
     *
     * <p>When this returns, every record appended before the call survives power loss.
     *
     * @return the durable LSN, if there is a record
     * @throws WalException {@link WalIoException} when a write or sync failed, {@link WalPoisonedException} from then on;
     *     {@link WalFullException}
     */
    public OptionalLong sync() throws WalException {
        return optional(call(Native::sync));
    }

    /**
     * Has a listener told after the durable LSN has advanced, on the thread that completes the asynchronous appends.
     *
     * @param listener hears of it, one call at a time
     * @return ends it when it is closed
     * @throws WalException {@link WalIoException}
     * @throws IllegalArgumentException on a read-only log
     */
    public DurableSubscription onDurable(DurableListener listener) throws WalException {
        Objects.requireNonNull(listener, "listener");
        Dispatcher telling = dispatcher();
        long token = telling.onDurable(listener);
        try {
            return new DurableSubscription(telling, token, call(handle -> Native.listen(handle, token)));
        } catch (WalException | RuntimeException e) {
            telling.forget(token);
            throw e;
        }
    }

    /**
     * The record with an LSN, verified.
     *
     * @param lsn the LSN
     * @return the record
     * @throws WalException {@link WalNotFoundException} when it is not visible yet, {@link WalTrimmedException} when it no
     *     longer is, {@link WalCorruptException} when its bytes are not what was written, {@link WalIoException}
     */
    public Record read(long lsn) throws WalException {
        try {
            return Native.read(address, lsn);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Calls back with the record of each of these LSNs, in their order, until the callback says to stop. Reads all over a log
     * that is in memory take a fraction of the time of as many calls of {@link #read}.
     *
     * @param lsns the LSNs
     * @param callback gets the records
     * @param <X> what the callback may throw
     * @return how many records it got
     * @throws WalException those of {@link #read} for the first LSN that has one, after the records before it
     * @throws X the callback's own
     */
    public <X extends Exception> long readMany(long[] lsns, ReplayCallback<X> callback) throws WalException, X {
        Objects.requireNonNull(lsns, "lsns");
        return calling(callback, handle -> Native.readMany(handle, lsns, callback));
    }

    /**
     * When a record was committed.
     *
     * @param lsn its LSN
     * @return the time
     * @throws WalException as {@link #read}
     */
    public Instant timeOf(long lsn) throws WalException {
        return Times.instant(call(handle -> Native.timeOf(handle, lsn)));
    }

    /**
     * Opens a cursor.
     *
     * @param from where it begins
     * @return the cursor, to be closed
     * @throws WalException {@link WalTrimmedException} and {@link WalNotFoundException} for a position that is no longer or
     *     not yet there, {@link WalCorruptException}, {@link WalIoException}
     */
    public Cursor cursor(Position from) throws WalException {
        return new Cursor(this, call(handle -> Native.cursor(handle, from.kind, from.number)));
    }

    /**
     * Opens a follower: a cursor that waits at the end.
     *
     * @param from where it begins
     * @return the follower, to be closed
     * @throws WalException as {@link #cursor}
     */
    public Follower follow(Position from) throws WalException {
        return new Follower(this, call(handle -> Native.follower(handle, from.kind, from.number)));
    }

    /**
     * The records from a position on, those to come included, for subscribers that need no thread: each has a follower of
     * its own. The subscription is completed when the log is closed.
     *
     * @param from where each subscriber begins
     * @return the publisher, which calls its subscribers in the common pool
     */
    public Flow.Publisher<Record> publisher(Position from) {
        return publisher(from, ForkJoinPool.commonPool());
    }

    /**
     * The same with an executor.
     *
     * @param from where each subscriber begins
     * @param executor runs the calls of subscribers, of each one at a time
     * @return the publisher
     */
    public Flow.Publisher<Record> publisher(Position from, Executor executor) {
        return new RecordPublisher(this, Objects.requireNonNull(from, "from"), Objects.requireNonNull(executor, "executor"));
    }

    /**
     * Calls back with every record from a position up to the last one visible now, in order, until the callback says to
     * stop.
     *
     * @param from where to begin
     * @param callback gets the records
     * @param <X> what the callback may throw
     * @return the last LSN it was called with, if there was a record
     * @throws WalException as {@link #cursor} and {@link #read}
     * @throws X the callback's own
     */
    public <X extends Exception> OptionalLong replay(Position from, ReplayCallback<X> callback) throws WalException, X {
        return optional(calling(callback, handle -> Native.replay(handle, from.kind, from.number, callback)));
    }

    /**
     * The same with several threads.
     *
     * @param from where to begin
     * @param threads how many threads read, verify and call back; 0 for one per core
     * @param inOrder whether the records come in LSN order, one call at a time, while other threads read and verify ahead;
     *     otherwise segments come at the same time, each in LSN order
     * @param callback gets the records, on threads of the engine
     * @param <X> what the callback may throw
     * @return how many records it got
     * @throws WalException as {@link #replay}
     * @throws X the callback's own; of several the first
     */
    public <X extends Exception> long replayParallel(
            Position from, int threads, boolean inOrder, ReplayCallback<X> callback) throws WalException, X {
        if (threads < 0) {
            throw new IllegalArgumentException("threads is " + threads + ": it cannot be negative");
        }
        return calling(callback,
                handle -> Native.replayParallel(handle, from.kind, from.number, threads, inOrder, callback));
    }

    /**
     * The first visible record.
     *
     * @return its LSN, if there is one
     */
    public OptionalLong firstLsn() {
        return mark(0);
    }

    /**
     * The last visible record.
     *
     * @return its LSN, if there is one
     */
    public OptionalLong lastLsn() {
        return mark(1);
    }

    /**
     * The last record on stable storage. On a read-only log, the last visible one.
     *
     * @return its LSN, if there is one
     */
    public OptionalLong durableLsn() {
        return mark(2);
    }

    /**
     * The last record given to the kernel.
     *
     * @return its LSN, if there is one
     */
    public OptionalLong writtenLsn() {
        return mark(3);
    }

    /**
     * The last record handed to the engine.
     *
     * @return its LSN, if there is one
     */
    public OptionalLong submittedLsn() {
        return mark(4);
    }

    /**
     * The LSN the next record gets.
     *
     * @return the LSN
     */
    public long nextLsn() {
        return mark(5).orElse(Long.MAX_VALUE);
    }

    private OptionalLong mark(int which) {
        try {
            return optional(Native.mark(address, which));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Drops every record before an LSN. When this returns, they do not come back after power loss. Their files go soon
     * after.
     *
     * @param before the first record to keep
     * @return the first record still there
     * @throws WalException {@link WalIoException} (the log is then poisoned)
     * @throws IllegalArgumentException beyond the next LSN
     */
    public OptionalLong trim(long before) throws WalException {
        return optional(call(handle -> Native.trim(handle, before)));
    }

    /**
     * Drops every record after an LSN, at the cost of one sync. May cut inside a batch. When this returns, they do not come
     * back after power loss, and the records up to the LSN survive it. Their LSNs are issued again; readers beyond are told
     * with a {@link WalTruncatedException}.
     *
     * @param after the last record to keep
     * @throws WalException {@link WalTrimmedException} before the first record, {@link WalFullException} when there is no
     *     room for a new segment (nothing was changed), {@link WalIoException}
     * @throws IllegalArgumentException beyond the last record
     */
    public void truncate(long after) throws WalException {
        call(handle -> {
            Native.truncate(handle, after);
            return null;
        });
    }

    /**
     * Drops every record. When this returns, they do not come back after power loss.
     *
     * @param next the LSN of the next record
     * @throws WalException as {@link #truncate}
     */
    public void resetTo(long next) throws WalException {
        call(handle -> {
            Native.reset(handle, next);
            return null;
        });
    }

    /**
     * The log's small key-value state.
     *
     * @return the values
     */
    public Values values() {
        return values;
    }

    /**
     * Copies the log as it is now to a new directory, while it is being written. The copy is a log of its own, with the same
     * LSNs, batches, commit times and values. When this returns, the copy survives power loss.
     *
     * @param target the directory, which holds no log yet
     * @return what was copied
     * @throws WalException as {@link #replay} and {@link #append(byte[])}
     * @throws IllegalArgumentException when the target holds a log already
     */
    public CopyReport copyTo(Path target) throws WalException {
        byte[] bytes = NativePath.of(target);
        return new CopyReport(new Fields(call(handle -> Native.copy(handle, bytes))));
    }

    /**
     * Counters, watermarks, segments and latencies.
     *
     * @return a snapshot
     * @throws WalException {@link WalInternalException}
     * @throws IllegalArgumentException on a read-only log: use {@link Logs#info}
     */
    public Stats stats() throws WalException {
        return new Stats(new Fields(call(Native::stats)));
    }

    /**
     * What opening the log found and did.
     *
     * @return the report
     */
    public RecoveryReport recovery() {
        return recovery;
    }

    /**
     * The log's directory.
     *
     * @return the path it was opened with
     */
    public Path path() {
        return path;
    }

    /**
     * The log's identity, unlike any other log's.
     *
     * @return the uuid
     */
    public UUID uuid() {
        return uuid;
    }

    /**
     * Makes everything appended durable and closes the log, which may then be opened again. Closing it again does nothing.
     *
     * @throws WalException {@link WalIoException} or {@link WalFullException} when the last records could not be made
     *     durable; the log is closed all the same
     */
    @Override
    public void close() throws WalException {
        handle.closed();
        try {
            Native.close(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public String toString() {
        return "Log[" + path + "]";
    }

    /** A call on the log's handle. */
    interface Call<T> {
        T on(long handle) throws WalException;
    }

    <T> T call(Call<T> call) throws WalException {
        try {
            return call.on(address);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private interface CallingCall {
        long on(long handle) throws Exception;
    }

    /** A call that may throw what its callback does, which the compiler knows and the native library does not. */
    @SuppressWarnings("unchecked")
    private <X extends Exception> long calling(ReplayCallback<X> callback, CallingCall call) throws WalException, X {
        Objects.requireNonNull(callback, "callback");
        try {
            return call.on(address);
        } catch (WalException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw (X) e;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static OptionalLong optional(long lsn) {
        return lsn == 0 ? OptionalLong.empty() : OptionalLong.of(lsn);
    }
}
