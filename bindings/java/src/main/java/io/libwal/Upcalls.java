package io.libwal;

import java.io.InterruptedIOException;

/** What the native library calls. */
final class Upcalls {
    private Upcalls() {}

    static Throwable error(long[] numbers, String message, String path) {
        return new ErrorDetails(numbers, message, path).toException();
    }

    /** Leaves the thread's status as it is, as an interrupted channel does. */
    static Object checkInterrupt() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted while waiting for the log");
        }
        return null;
    }

    static Record record(long lsn, boolean batchContinues, byte[] bytes) {
        return new Record(lsn, batchContinues, bytes);
    }

    static boolean replay(ReplayCallback<?> callback, Record record) throws Exception {
        return callback.accept(record);
    }

    static void progress(Progress progress, long done, long total) {
        progress.progress(done, total);
    }
}
