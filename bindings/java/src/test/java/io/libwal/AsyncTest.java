package io.libwal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AsyncTest {
    @TempDir Path directory;

    private Log open() throws Exception {
        return Log.open(directory.resolve("log"));
    }

    @Test
    void a_refused_append_fails_its_future_alone() throws Exception {
        Options options = Options.builder().recordBytesMax(10).build();
        try (Log log = Log.open(directory.resolve("log"), options)) {
            CompletableFuture<Long> refused = log.appendAsync(new byte[11]);
            ExecutionException failed = assertThrows(ExecutionException.class, () -> refused.get(5, TimeUnit.SECONDS));
            assertInstanceOf(IllegalArgumentException.class, failed.getCause());
            ExecutionException empty =
                    assertThrows(ExecutionException.class, () -> log.appendBatchAsync(Collections.emptyList()).get());
            assertInstanceOf(IllegalArgumentException.class, empty.getCause());
            assertEquals(1, log.appendAsync(new byte[10]).get());
        }
    }

    @Test
    void an_append_to_a_closed_log_fails_its_future() throws Exception {
        Log log = open();
        log.close();
        ExecutionException failed = assertThrows(ExecutionException.class, () -> log.appendAsync(new byte[1]).get());
        assertInstanceOf(WalClosedException.class, failed.getCause());
        assertTrue(Waits.until(() -> dispatchers() == 0), "no thread is left behind");
    }

    @Test
    void many_in_flight_are_completed_each_with_its_lsn_when_it_is_durable() throws Exception {
        try (Log log = open()) {
            List<CompletableFuture<Long>> futures = new ArrayList<>();
            Set<Long> notDurable = ConcurrentHashMap.newKeySet();
            for (int i = 0; i < 5000; i++) {
                CompletableFuture<Long> future = log.appendAsync(new byte[i % 300]);
                futures.add(future.thenApply(lsn -> {
                    if (log.durableLsn().orElse(0) < lsn) {
                        notDurable.add(lsn);
                    }
                    return lsn;
                }));
            }
            for (int i = 0; i < futures.size(); i++) {
                assertEquals(i + 1, futures.get(i).get());
            }
            assertTrue(notDurable.isEmpty(), notDurable.toString());
            assertEquals(1, dispatchers(), "one thread, not one for each call");
        }
        assertTrue(Waits.until(() -> dispatchers() == 0), "the thread ends with the log");
    }

    @Test
    void batches_and_levels_are_completed_too() throws Exception {
        try (Log log = open()) {
            CompletableFuture<LsnRange> batch = log.appendBatchAsync(List.of(new byte[1], new byte[2]));
            CompletableFuture<Long> os = log.appendAsync(new byte[1], AppendOptions.defaults().withLevel(Level.OS));
            CompletableFuture<Long> memory =
                    log.appendAsync(new byte[1], AppendOptions.defaults().withLevel(Level.BUFFERED));
            assertEquals("1-2", batch.get().toString());
            assertEquals(3, os.get());
            assertEquals(4, memory.get());
        }
    }

    @Test
    void every_future_is_completed_when_the_log_is_closed_while_threads_append() throws Exception {
        for (int round = 0; round < 10; round++) {
            Log log = Log.open(directory.resolve("log" + round));
            Set<CompletableFuture<Long>> futures = ConcurrentHashMap.newKeySet();
            AtomicLong acknowledged = new AtomicLong();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Thread thread = new Thread(() -> {
                    CompletableFuture<Long> future;
                    do {
                        future = log.appendAsync(new byte[50]);
                        futures.add(future);
                    } while (!future.isCompletedExceptionally());
                });
                threads.add(thread);
                thread.start();
            }
            Waits.sleep(20);
            log.close();
            for (Thread thread : threads) {
                thread.join();
            }
            for (CompletableFuture<Long> future : futures) {
                try {
                    acknowledged.accumulateAndGet(future.get(10, TimeUnit.SECONDS), Math::max);
                } catch (ExecutionException e) {
                    assertInstanceOf(WalClosedException.class, e.getCause());
                }
            }
            try (Log again = Log.open(log.path())) {
                assertTrue(again.lastLsn().orElse(0) >= acknowledged.get());
            }
        }
    }

    @Test
    void a_dependent_may_append_and_close() throws Exception {
        Log log = open();
        CompletableFuture<Void> done = log.appendAsync(new byte[1])
                .thenCompose(lsn -> log.appendAsync(new byte[2]))
                .thenAccept(lsn -> {
                    try {
                        log.close();
                    } catch (WalException e) {
                        throw new AssertionError(e);
                    }
                });
        done.get(10, TimeUnit.SECONDS);
        assertThrows(WalClosedException.class, () -> log.append(new byte[1]));
    }

    /** The directory is gone, so that no segment can be made any more: everything in flight fails, each with the cause. */
    @Test
    void a_log_that_fails_fails_every_future_in_flight() throws Exception {
        Log log = Log.open(directory.resolve("log"), Options.builder().segmentBytes(65536).build());
        log.append(new byte[1]);
        try (var files = java.nio.file.Files.list(log.path())) {
            for (Path file : files.toArray(Path[]::new)) {
                java.nio.file.Files.delete(file);
            }
        }
        java.nio.file.Files.delete(log.path());
        List<CompletableFuture<Long>> futures = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            futures.add(log.appendAsync(new byte[30_000]));
        }
        int failed = 0;
        for (CompletableFuture<Long> future : futures) {
            try {
                future.get(20, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                assertInstanceOf(WalException.class, e.getCause());
                failed++;
            }
        }
        assertTrue(failed > 400, "failed: " + failed);
        assertTrue(log.stats().poisoned().isPresent());
        assertThrows(WalPoisonedException.class, log::close);
    }

    @Test
    void many_that_fail_for_want_of_memory_are_told_and_the_rest_goes_on() throws Exception {
        InFlight inFlight = new InFlight();
        InFlight.OfRecord lost = new InFlight.OfRecord();
        int token = inFlight.add(lost);
        inFlight.failAll(new OutOfMemoryError());
        assertTrue(lost.isCompletedExceptionally());
        assertTrue(inFlight.isEmpty(), "nobody waits");
        InFlight.OfRecord other = new InFlight.OfRecord();
        int another = inFlight.add(other);
        assertTrue(another != token, "its outcome may still come");
        inFlight.removeAll(new long[] {token, 7, 7, another, 8, 8})[1].done(8, 8);
        assertEquals(8, other.get());
        assertTrue(inFlight.isEmpty());
    }

    @Test
    void a_listener_hears_of_durability_until_it_is_closed() throws Exception {
        try (Log log = open()) {
            AtomicLong heard = new AtomicLong();
            CountDownLatch third = new CountDownLatch(1);
            DurableSubscription subscription = log.onDurable(lsn -> {
                heard.set(lsn);
                if (lsn >= 3) {
                    third.countDown();
                    throw new IllegalStateException("a listener that fails keeps nobody from hearing");
                }
            });
            for (int i = 0; i < 3; i++) {
                log.append(new byte[1]);
            }
            assertTrue(third.await(10, TimeUnit.SECONDS));
            subscription.close();
            subscription.close();
            log.append(new byte[1]);
            assertEquals(5, log.appendAsync(new byte[1]).get());
            assertEquals(3, heard.get());
        }
    }

    private static long dispatchers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("libwal-log"))
                .count();
    }
}
