package io.libwal;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends what {@link Log#onDurable} began.
 *
 * @since 0.1.0
 */
public final class DurableSubscription implements AutoCloseable {
    private final Dispatcher dispatcher;
    private final long token;
    private final long subscription;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    DurableSubscription(Dispatcher dispatcher, long token, long subscription) {
        this.dispatcher = dispatcher;
        this.token = token;
        this.subscription = subscription;
    }

    /** The listener hears no more, except in a call that is running. Closing it again does nothing. */
    @Override
    public void close() {
        if (isClosed.compareAndSet(false, true)) {
            dispatcher.forget(token);
            Native.listenEnd(subscription);
        }
    }
}
