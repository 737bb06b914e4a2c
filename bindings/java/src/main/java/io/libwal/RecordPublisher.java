package io.libwal;

import java.lang.System.Logger.Level;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Follows a log for each subscriber, without a thread: the dispatcher says when a look is worth while. */
final class RecordPublisher implements Flow.Publisher<Record> {
    private final Log log;
    private final Position from;
    private final Executor executor;

    RecordPublisher(Log log, Position from, Executor executor) {
        this.log = log;
        this.from = from;
        this.executor = executor;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super Record> subscriber) {
        java.util.Objects.requireNonNull(subscriber, "subscriber");
        Following following;
        Follower follower = null;
        try {
            follower = log.follow(from);
            following = new Following(follower, subscriber, executor, log.dispatcher());
        } catch (WalException | RuntimeException e) {
            if (follower != null) {
                follower.close();
            }
            subscriber.onSubscribe(new Nothing());
            subscriber.onError(e);
            return;
        }
        subscriber.onSubscribe(following);
        following.start();
    }

    /** What a subscriber holds who gets an error at once. */
    private static final class Nothing implements Flow.Subscription {
        @Override
        public void request(long n) {}

        @Override
        public void cancel() {}
    }

    private static final class Following implements Flow.Subscription, Runnable {
        private final Follower follower;
        private final Flow.Subscriber<? super Record> subscriber;
        private final Executor executor;
        private final Dispatcher dispatcher;
        private final long token;
        private final AtomicLong wanted = new AtomicLong();
        /** How often a look was asked for since the last; whoever makes it one runs. */
        private final AtomicInteger asked = new AtomicInteger(1);
        private volatile boolean isOver;
        private volatile boolean isWrongRequest;

        Following(
                Follower follower,
                Flow.Subscriber<? super Record> subscriber,
                Executor executor,
                Dispatcher dispatcher)
                throws WalException {
            this.follower = follower;
            this.subscriber = subscriber;
            this.executor = executor;
            this.dispatcher = dispatcher;
            this.token = dispatcher.onReady(this::ask);
            follower.tell(token);
        }

        /** Nothing is delivered before {@code onSubscribe} has returned. */
        void start() {
            asked.set(0);
            ask();
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                isWrongRequest = true;
            } else {
                wanted.accumulateAndGet(n, (a, b) -> a + b < 0 ? Long.MAX_VALUE : a + b);
            }
            ask();
        }

        @Override
        public void cancel() {
            isOver = true;
            ask();
        }

        private void ask() {
            if (asked.getAndIncrement() != 0) {
                return;
            }
            try {
                executor.execute(this);
            } catch (RejectedExecutionException e) {
                EventLog.LOGGER.log(Level.WARNING, "an executor takes no more work: a subscription ends", e);
                end();
            }
        }

        @Override
        public void run() {
            int seen;
            do {
                seen = asked.get();
                deliver();
            } while (asked.addAndGet(-seen) != 0);
        }

        private void deliver() {
            try {
                if (isWrongRequest && !isOver) {
                    end();
                    subscriber.onError(new IllegalArgumentException("a request must be for 1 record or more"));
                }
                while (!isOver && wanted.get() > 0) {
                    Record record = follower.poll();
                    if (record == null) {
                        return;
                    }
                    wanted.getAndUpdate(n -> n == Long.MAX_VALUE ? n : n - 1);
                    subscriber.onNext(record);
                }
                if (isOver) {
                    end();
                }
            } catch (WalClosedException e) {
                if (!isOver) {
                    end();
                    subscriber.onComplete();
                }
            } catch (WalException | RuntimeException e) {
                boolean wasOver = isOver;
                end();
                if (!wasOver) {
                    subscriber.onError(e);
                }
            }
        }

        private void end() {
            isOver = true;
            dispatcher.forget(token);
            follower.close();
        }
    }
}
