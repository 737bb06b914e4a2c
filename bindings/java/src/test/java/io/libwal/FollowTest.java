package io.libwal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FollowTest {
    @TempDir Path directory;
    private Log log;

    @BeforeEach
    void open() throws Exception {
        log = Log.open(directory.resolve("log"));
    }

    @AfterEach
    void close() throws Exception {
        log.close();
    }

    private interface Act {
        void run() throws Exception;
    }

    /** Does something on another thread while this one waits. */
    private static CompletableFuture<Void> soon(Act act) {
        return CompletableFuture.runAsync(() -> {
            Waits.sleep(50);
            try {
                act.run();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void a_wait_ends_with_its_time() throws Exception {
        try (Follower follower = log.follow(Position.end())) {
            long start = System.nanoTime();
            assertNull(follower.next(Duration.ofMillis(100)));
            assertTrue(System.nanoTime() - start >= 100_000_000L);
            assertNull(follower.next(Duration.ZERO));
            assertNull(follower.next(Duration.ofSeconds(-1)));
            assertEquals(0, follower.read(PackedRecords.allocate(100), Duration.ofMillis(10)));
        }
    }

    @Test
    void a_wait_ends_with_a_record() throws Exception {
        try (Follower follower = log.follow(Position.first())) {
            CompletableFuture<Void> append = soon(() -> log.append(new byte[7]));
            Record record = follower.next();
            assertEquals(1, record.lsn());
            assertEquals(7, record.length());
            append.get();
            soon(() -> log.append(new byte[8]));
            assertEquals(2, follower.next(Duration.ofDays(400 * 365L)).lsn(), "a time beyond the clock's");
        }
    }

    @Test
    void a_wait_is_interrupted_at_once() throws Exception {
        try (Follower follower = log.follow(Position.end())) {
            Thread waiting = Thread.currentThread();
            CompletableFuture<Void> interrupt = soon(waiting::interrupt);
            long start = System.nanoTime();
            assertThrows(InterruptedException.class, follower::next);
            assertTrue(System.nanoTime() - start < 5_000_000_000L);
            assertFalse(Thread.interrupted(), "the exception has told it");
            interrupt.get();
            waiting.interrupt();
            assertThrows(InterruptedException.class, () -> follower.next(Duration.ofSeconds(30)));
            log.append(new byte[1]);
            assertEquals(1, follower.next().lsn(), "it goes on afterwards");
            waiting.interrupt();
            log.append(new byte[1]);
            assertEquals(2, follower.next().lsn(), "a record that is there is no wait");
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void a_wait_ends_when_the_follower_is_closed() throws Exception {
        Follower follower = log.follow(Position.end());
        CompletableFuture<Void> closing = soon(follower::close);
        assertThrows(WalClosedException.class, follower::next);
        closing.get();
        follower.close();
        assertThrows(WalClosedException.class, () -> follower.next(Duration.ZERO));
        assertThrows(WalClosedException.class, follower::nextLsn);
    }

    @Test
    void a_wait_ends_when_the_log_is_closed_after_the_last_record() throws Exception {
        try (Follower follower = log.follow(Position.first())) {
            CompletableFuture<Void> closing = soon(() -> {
                log.append(new byte[1]);
                log.close();
            });
            assertEquals(1, follower.next().lsn());
            assertThrows(WalClosedException.class, follower::next);
            closing.get();
        }
    }

    @Test
    void a_second_thread_is_told_that_the_follower_is_in_use() throws Exception {
        try (Follower follower = log.follow(Position.end())) {
            CountDownLatch started = new CountDownLatch(1);
            Thread waiting = new Thread(() -> {
                started.countDown();
                assertThrows(WalClosedException.class, follower::next);
            });
            waiting.start();
            started.await();
            assertTrue(Waits.until(() -> {
                try {
                    follower.nextLsn();
                    return false;
                } catch (IllegalStateException e) {
                    return !(e instanceof WalClosedException);
                }
            }));
            follower.close();
            waiting.join();
        }
    }

    @Test
    void a_batch_of_what_is_there_is_read_at_once() throws Exception {
        try (Follower follower = log.follow(Position.first())) {
            log.appendBatch(List.of(new byte[1], new byte[2], new byte[3000]));
            PackedRecords records = PackedRecords.allocate(100);
            assertEquals(2, follower.read(records, Duration.ofSeconds(5)));
            assertEquals(1, follower.read(records, Duration.ofSeconds(5)), "more room was made");
            assertEquals(3000, records.length(0));
            soon(() -> log.append(new byte[5]));
            assertEquals(1, follower.read(records, Duration.ofSeconds(5)));
            assertEquals(5, follower.nextLsn());
        }
    }

    @Test
    void waiting_for_durability_ends_with_time_record_or_interrupt() throws Exception {
        assertTrue(log.waitDurable(1, Duration.ofMillis(20)).isEmpty());
        soon(() -> log.append(new byte[1]));
        assertEquals(1, log.waitDurable(1, Duration.ofSeconds(10)).getAsLong());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedIOException.class, () -> log.waitDurable(2, Duration.ofSeconds(30)));
        assertTrue(Thread.interrupted());
        assertThrows(IllegalArgumentException.class, () -> log.waitDurable(0, Duration.ZERO));
    }

    @Test
    void opening_waits_for_the_other_writer_and_is_interrupted() throws Exception {
        Options patient = Options.builder().lockWait(Duration.ofSeconds(30)).build();
        assertThrows(WalLockedException.class, () -> Log.open(log.path()));
        Thread waiting = Thread.currentThread();
        CompletableFuture<Void> interrupt = soon(waiting::interrupt);
        assertThrows(InterruptedIOException.class, () -> Log.open(log.path(), patient));
        assertTrue(Thread.interrupted());
        interrupt.get();
        CompletableFuture<Void> closing = soon(log::close);
        Log.open(log.path(), patient).close();
        closing.get();
    }

    private static final class Collector implements Flow.Subscriber<Record> {
        final List<Long> lsns = Collections.synchronizedList(new ArrayList<>());
        final CompletableFuture<String> end = new CompletableFuture<>();
        volatile Flow.Subscription subscription;

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
        }

        @Override
        public void onNext(Record record) {
            lsns.add(record.lsn());
        }

        @Override
        public void onError(Throwable cause) {
            end.completeExceptionally(cause);
        }

        @Override
        public void onComplete() {
            end.complete("complete");
        }
    }

    @Test
    void a_subscriber_gets_as_many_records_as_it_asks_for_and_those_to_come() throws Exception {
        Collector collector = new Collector();
        log.append(new byte[1]);
        log.append(new byte[1]);
        log.publisher(Position.first()).subscribe(collector);
        Waits.sleep(50);
        assertEquals(List.of(), collector.lsns);
        collector.subscription.request(3);
        assertTrue(Waits.until(() -> collector.lsns.size() == 2));
        for (int i = 0; i < 3; i++) {
            log.append(new byte[1]);
        }
        assertTrue(Waits.until(() -> collector.lsns.size() == 3));
        Waits.sleep(50);
        assertEquals(List.of(1L, 2L, 3L), collector.lsns);
        collector.subscription.request(Long.MAX_VALUE);
        log.append(new byte[1]);
        assertTrue(Waits.until(() -> collector.lsns.size() == 6));
        log.close();
        assertEquals("complete", collector.end.get(10, TimeUnit.SECONDS));
    }

    @Test
    void a_cancelled_subscription_delivers_no_more() throws Exception {
        Collector collector = new Collector();
        log.publisher(Position.first()).subscribe(collector);
        collector.subscription.request(10);
        log.append(new byte[1]);
        assertTrue(Waits.until(() -> collector.lsns.size() == 1));
        collector.subscription.cancel();
        collector.subscription.cancel();
        log.append(new byte[1]);
        Waits.sleep(50);
        assertEquals(1, collector.lsns.size());
        assertFalse(collector.end.isDone());
    }

    @Test
    void a_wrong_request_or_position_is_an_error() throws Exception {
        Collector wrong = new Collector();
        log.publisher(Position.first()).subscribe(wrong);
        wrong.subscription.request(0);
        Exception error = assertThrows(Exception.class, () -> wrong.end.get(10, TimeUnit.SECONDS));
        assertInstanceOf(IllegalArgumentException.class, error.getCause());
        Collector nowhere = new Collector();
        log.publisher(Position.at(99)).subscribe(nowhere);
        assertInstanceOf(WalNotFoundException.class,
                assertThrows(Exception.class, () -> nowhere.end.get(10, TimeUnit.SECONDS)).getCause());
        assertThrows(NullPointerException.class, () -> log.publisher(Position.first()).subscribe(null));
        assertThrows(NullPointerException.class, () -> log.publisher(null));
    }
}
