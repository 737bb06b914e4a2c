package io.libwal;

import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

/** Appends whose outcome is awaited, each under a token, which is its place here. */
final class InFlight {
    private Waiting[] places = new Waiting[64];
    /** The free places; those up to {@code freeCount}. */
    private int[] free = new int[64];
    private int freeCount;
    private int usedMax;

    /** What gets the outcome. */
    interface Waiting {
        void done(long first, long last);

        void failed(Throwable cause);
    }

    /** The outcome of one record. */
    static final class OfRecord extends CompletableFuture<Long> implements Waiting {
        @Override
        public void done(long first, long last) {
            complete(first);
        }

        @Override
        public void failed(Throwable cause) {
            completeExceptionally(cause);
        }
    }

    /** The outcome of a batch. */
    static final class OfBatch extends CompletableFuture<LsnRange> implements Waiting {
        @Override
        public void done(long first, long last) {
            complete(new LsnRange(first, last));
        }

        @Override
        public void failed(Throwable cause) {
            completeExceptionally(cause);
        }
    }

    /** Stands for one that was failed before its outcome came. */
    private static final Waiting FAILED = new Waiting() {
        @Override
        public void done(long first, long last) {}

        @Override
        public void failed(Throwable cause) {}
    };

    synchronized int add(Waiting waiting) {
        int token = freeCount > 0 ? free[--freeCount] : usedMax++;
        if (token == places.length) {
            places = Arrays.copyOf(places, token * 2);
        }
        places[token] = waiting;
        return token;
    }

    /** Their outcomes may still come, and are then nobody's: the tokens stay taken. */
    void failAll(Throwable cause) {
        Waiting[] all;
        synchronized (this) {
            all = places.clone();
            for (int i = 0; i < usedMax; i++) {
                places[i] = all[i] == null ? null : FAILED;
            }
        }
        for (Waiting waiting : all) {
            if (waiting != null) {
                waiting.failed(cause);
            }
        }
    }

    synchronized Waiting remove(int token) {
        Waiting waiting = places[token];
        places[token] = null;
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, freeCount * 2);
        }
        free[freeCount++] = token;
        return waiting;
    }

    /** Those whose tokens stand in every third place. */
    synchronized Waiting[] removeAll(long[] ended) {
        Waiting[] removed = new Waiting[ended.length / 3];
        for (int i = 0; i < removed.length; i++) {
            removed[i] = remove((int) ended[i * 3]);
        }
        return removed;
    }

    /** Whether nobody waits. */
    synchronized boolean isEmpty() {
        return freeCount == usedMax || Arrays.stream(places).allMatch(place -> place == null || place == FAILED);
    }
}
