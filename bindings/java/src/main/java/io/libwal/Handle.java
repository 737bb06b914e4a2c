package io.libwal;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/**
 * Frees a native object once the Java object that stands for it is unreachable, and not before: a call that still runs on
 * another thread when the object is closed finds what it needs. Closing lets go of files and memory at once; what is left
 * for later are some hundred bytes.
 */
final class Handle implements Runnable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long address;
    private final String what;
    private final LongConsumer free;
    private volatile boolean isClosed;

    private Handle(long address, String what, LongConsumer free) {
        this.address = address;
        this.what = what;
        this.free = free;
    }

    static Handle of(Object holder, long address, String what, LongConsumer free) {
        Handle handle = new Handle(address, what, free);
        CLEANER.register(holder, handle);
        return handle;
    }

    void closed() {
        isClosed = true;
    }

    @Override
    public void run() {
        if (!isClosed) {
            EventLog.LOGGER.log(Level.WARNING, "{0} was not closed: call close(), or use try-with-resources", what);
        }
        free.accept(address);
    }
}
