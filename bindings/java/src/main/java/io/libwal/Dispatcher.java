package io.libwal;

import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The one daemon thread of a log that uses asynchronous calls: it waits in the native library, and one crossing brings
 * everything that a commit has ended.
 */
final class Dispatcher implements Runnable {
    final InFlight inFlight = new InFlight();
    private final long hub;
    /** Followers to be polled, and listeners; by tokens of their own. */
    private final Map<Long, Runnable> ready = new ConcurrentHashMap<>();
    private final Map<Long, DurableListener> listeners = new ConcurrentHashMap<>();
    private final AtomicLong tokens = new AtomicLong();

    private Dispatcher(long hub) {
        this.hub = hub;
    }

    /** It must not keep the log reachable, or a log that nobody closes would never be freed. */
    static Dispatcher start(long hub, String name) {
        Dispatcher dispatcher = new Dispatcher(hub);
        Thread thread = new Thread(dispatcher, name);
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
        return dispatcher;
    }

    long onReady(Runnable look) {
        long token = tokens.incrementAndGet();
        ready.put(token, look);
        return token;
    }

    long onDurable(DurableListener listener) {
        long token = tokens.incrementAndGet();
        listeners.put(token, listener);
        return token;
    }

    void forget(long token) {
        ready.remove(token);
        listeners.remove(token);
    }

    @Override
    public void run() {
        while (true) {
            try {
                Object[] news = Native.hubTake(hub);
                if (news != null) {
                    tell(news);
                } else if (inFlight.isEmpty()) {
                    // The log was closed, and nobody waits for an outcome.
                    Native.hubFree(hub);
                    return;
                }
            } catch (Throwable e) {
                // News that could not be taken, for want of memory, is lost: nobody may wait for it for ever.
                inFlight.failAll(e);
            }
        }
    }

    private void tell(Object[] news) {
        long[] ended = (long[]) news[0];
        Object[] errors = (Object[]) news[1];
        int error = 0;
        InFlight.Waiting[] waiting = inFlight.removeAll(ended);
        for (int i = 0; i < waiting.length; i++) {
            long first = ended[i * 3 + 1];
            if (first != 0) {
                waiting[i].done(first, ended[i * 3 + 2]);
            } else {
                waiting[i].failed((Throwable) errors[error++]);
            }
        }
        for (long token : (long[]) news[2]) {
            guarded(ready.getOrDefault(token, () -> { }));
        }
        long[] durable = (long[]) news[3];
        for (int i = 0; i < durable.length; i += 2) {
            long lsn = durable[i + 1];
            Object cause = lsn == 0 ? errors[error++] : null;
            DurableListener listener = listeners.get(durable[i]);
            if (listener != null && lsn != 0) {
                guarded(() -> listener.durable(lsn));
            } else if (listener != null && cause instanceof WalException) {
                guarded(() -> listener.failed((WalException) cause));
            }
        }
    }

    /** What a listener throws must not keep others from hearing. */
    private static void guarded(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            EventLog.LOGGER.log(Level.ERROR, "a listener has thrown", e);
        }
    }
}
