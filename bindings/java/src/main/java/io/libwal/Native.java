package io.libwal;

import java.io.InterruptedIOException;
import java.nio.ByteBuffer;

/**
 * The natives. A handle is a {@code long} that stays valid until it is freed, whatever is closed; the Java object that
 * holds it frees it when it is unreachable, and keeps itself reachable during each call.
 */
final class Native {
    static {
        NativeLibrary.load();
    }

    private Native() {}

    static native String version();

    static native Object[] open(byte[] path, long[] options, boolean readOnly) throws WalException, InterruptedIOException;

    static native void close(long log) throws WalException;

    static native void free(long log);

    static native void destroy(byte[] path) throws WalException;

    static native long append(long log, byte[] record, int offset, int length) throws WalException, InterruptedIOException;

    static native long appendDirect(long log, ByteBuffer record, int offset, int length) throws WalException, InterruptedIOException;

    static native long appendWith(
            long log, byte[] record, int offset, int length, int level, long wait, long time, long expected) throws WalException, InterruptedIOException;

    static native long appendBatch(long log, byte[] batch, int length, int level, long wait, long time) throws WalException, InterruptedIOException;

    static native long appendPacked(long log, long address, long length, int level, long wait, long time) throws WalException, InterruptedIOException;

    static native void submit(
            long log, long token, byte[] record, int offset, int length, int level, long wait, long time) throws WalException, InterruptedIOException;

    static native void submitBatch(long log, long token, byte[] batch, int length, int level, long wait, long time) throws WalException, InterruptedIOException;

    static native long sync(long log) throws WalException;

    static native long waitDurable(long log, long lsn, long timeout) throws WalException, InterruptedIOException;

    static native long address(ByteBuffer buffer);

    static native Record read(long log, long lsn) throws WalException;

    static native long readMany(long log, long[] lsns, ReplayCallback<?> callback) throws Exception;

    static native long timeOf(long log, long lsn) throws WalException;

    static native long mark(long log, int which);

    static native long cursor(long log, int from, long at) throws WalException;

    static native Record cursorNext(long cursor) throws WalException;

    static native Record cursorPrev(long cursor) throws WalException;

    static native void cursorSeek(long cursor, int to, long at) throws WalException;

    static native long cursorNextLsn(long cursor);

    static native long cursorTime(long cursor) throws WalException;

    static native long cursorRead(long cursor, long address, long capacity, int countMax) throws WalException;

    static native void cursorClose(long cursor);

    static native void cursorFree(long cursor);

    static native long replay(long log, int from, long at, ReplayCallback<?> callback) throws Exception;

    static native long replayParallel(
            long log, int from, long at, int threads, boolean inOrder, ReplayCallback<?> callback) throws Exception;

    static native long follower(long log, int from, long at) throws WalException;

    static native Record followerNext(long follower, long timeout) throws WalException;

    static native long followerRead(long follower, long timeout, long address, long capacity, int countMax) throws WalException;

    static native void followerTell(long follower, long log, long token) throws WalException;

    static native Record followerPoll(long follower) throws WalException;

    static native void followerSeek(long follower, int to, long at) throws WalException;

    static native long followerNextLsn(long follower);

    static native void followerInterrupt(long follower);

    static native void followerClose(long follower);

    static native void followerFree(long follower);

    static native long trim(long log, long before) throws WalException;

    static native void truncate(long log, long after) throws WalException;

    static native void reset(long log, long next) throws WalException;

    static native byte[] valueGet(long log, byte[] key) throws WalException;

    static native void valuesUpdate(long log, byte[][] keys, byte[][] values) throws WalException;

    static native boolean valueDelete(long log, byte[] key) throws WalException;

    static native byte[][] valuesList(long log) throws WalException;

    static native Object[] copy(long log, byte[] path) throws WalException;

    static native Object[] stats(long log) throws WalException;

    static native Object[] info(byte[] path) throws WalException;

    static native Object[] verify(byte[] path, Progress progress) throws WalException;

    static native Object[] repair(byte[] path, boolean dryRun) throws WalException;

    static native long hub(long log) throws WalException;

    static native Object[] hubTake(long hub);

    static native void hubFree(long hub);

    static native long listen(long log, long token) throws WalException;

    static native void listenEnd(long subscription);

    static native void hear(int level);

    static native Object[] events();
}
