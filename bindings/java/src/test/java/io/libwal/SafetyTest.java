package io.libwal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SafetyTest {
    @TempDir Path directory;

    private Log open() throws Exception {
        return Log.open(directory.resolve("log"));
    }

    /** Whatever is done to a closed log is refused, or answers from what it knows. */
    @Test
    void a_closed_log_refuses_every_call() throws Exception {
        Log log = open();
        log.append(new byte[1]);
        log.close();
        byte[] record = new byte[1];
        PackedRecords packed = PackedRecords.allocate(100);
        packed.add(record);
        Map<String, Executable> calls = new LinkedHashMap<>();
        calls.put("append", () -> log.append(record));
        calls.put("append a part", () -> log.append(record, 0, 1));
        calls.put("append a buffer", () -> log.append(ByteBuffer.wrap(record)));
        calls.put("append with options", () -> log.append(record, AppendOptions.defaults()));
        calls.put("appendAt", () -> log.appendAt(2, record));
        calls.put("appendBatch", () -> log.appendBatch(List.of(record)));
        calls.put("appendBatch packed", () -> log.appendBatch(packed));
        calls.put("sync", log::sync);
        calls.put("waitDurable", () -> log.waitDurable(2, java.time.Duration.ofSeconds(5)));
        calls.put("firstLsn", log::firstLsn);
        calls.put("nextLsn", log::nextLsn);
        calls.put("read", () -> log.read(1));
        calls.put("timeOf", () -> log.timeOf(1));
        calls.put("replay", () -> log.replay(Position.first(), found -> true));
        calls.put("stats", log::stats);
        calls.put("cursor", () -> log.cursor(Position.first()));
        calls.put("follow", () -> log.follow(Position.first()));
        calls.put("trim", () -> log.trim(1));
        calls.put("truncate", () -> log.truncate(1));
        calls.put("resetTo", () -> log.resetTo(1));
        calls.put("values get", () -> log.values().get(record));
        calls.put("values set", () -> log.values().set(record, record));
        calls.put("values list", () -> log.values().list());
        calls.put("onDurable", () -> log.onDurable(lsn -> { }));
        calls.put("copyTo", () -> log.copyTo(directory.resolve("copy")));
        for (Map.Entry<String, Executable> call : calls.entrySet()) {
            WalClosedException refused = assertThrows(WalClosedException.class, call.getValue(), call.getKey());
            assertInstanceOf(IllegalStateException.class, refused);
        }
        assertTrue(log.recovery().isCreated());
        assertEquals(directory.resolve("log"), log.path());
    }

    @Test
    void closing_again_does_nothing() throws Exception {
        Log log = open();
        Cursor cursor = log.cursor(Position.first());
        log.close();
        log.close();
        cursor.close();
        cursor.close();
        Log again = open();
        log.close();
        again.append(new byte[1]);
        again.close();
    }

    @Test
    void a_reader_outlives_its_log() throws Exception {
        Log log = open();
        log.append(new byte[3]);
        Cursor cursor = log.cursor(Position.first());
        log.close();
        assertEquals(3, cursor.next().length());
        assertThrows(WalClosedException.class, cursor::next);
        cursor.close();
        assertThrows(WalClosedException.class, cursor::next);
        assertThrows(WalClosedException.class, cursor::prev);
        assertThrows(WalClosedException.class, () -> cursor.seek(Position.first()));
        assertThrows(WalClosedException.class, cursor::nextLsn);
        assertThrows(WalClosedException.class, () -> cursor.read(PackedRecords.allocate(10)));
    }

    @Test
    void a_log_is_closed_while_threads_use_it_in_every_way() throws Exception {
        for (int round = 0; round < 20; round++) {
            Log log = Log.open(directory.resolve("log" + round));
            log.append(new byte[1]);
            AtomicLong acknowledged = new AtomicLong();
            AtomicReference<Throwable> wrong = new AtomicReference<>();
            List<Thread> threads = new ArrayList<>();
            ByteBuffer direct = ByteBuffer.allocateDirect(100);
            List<Executable> uses = List.of(
                    () -> acknowledged.accumulateAndGet(log.append(new byte[100]), Math::max),
                    () -> acknowledged.accumulateAndGet(log.append(direct.duplicate()), Math::max),
                    () -> acknowledged.accumulateAndGet(log.appendBatch(List.of(new byte[9], new byte[8])).last(), Math::max),
                    () -> log.read(1 + log.nextLsn() / 2 % log.lastLsn().getAsLong()),
                    () -> {
                        try (Cursor cursor = log.cursor(Position.first())) {
                            cursor.forEach(record -> { });
                        }
                    },
                    () -> {
                        log.stats();
                        log.values().set(new byte[1], new byte[1]);
                    });
            for (Executable use : uses) {
                Thread thread = new Thread(() -> {
                    try {
                        while (true) {
                            use.execute();
                        }
                    } catch (WalClosedException e) {
                        // As it should be.
                    } catch (Throwable e) {
                        wrong.compareAndSet(null, e);
                    }
                });
                threads.add(thread);
                thread.start();
            }
            Waits.sleep(5 + round);
            log.close();
            for (Thread thread : threads) {
                thread.join(20_000);
                assertTrue(!thread.isAlive(), "nobody hangs");
            }
            if (wrong.get() != null) {
                throw new AssertionError(wrong.get());
            }
            try (Log again = Log.open(log.path())) {
                assertTrue(again.lastLsn().getAsLong() >= acknowledged.get());
            }
        }
    }

    @Test
    void a_cursor_is_closed_and_misused_by_several_threads() throws Exception {
        try (Log log = open()) {
            for (int i = 0; i < 500; i++) {
                log.append(new byte[200], AppendOptions.defaults().withLevel(Level.BUFFERED));
            }
            log.sync();
            for (int round = 0; round < 50; round++) {
                Cursor cursor = log.cursor(Position.first());
                List<Thread> threads = new ArrayList<>();
                AtomicReference<Throwable> wrong = new AtomicReference<>();
                for (int i = 0; i < 3; i++) {
                    Thread thread = new Thread(() -> {
                        while (true) {
                            try {
                                if (cursor.next() == null) {
                                    cursor.seek(Position.first());
                                }
                                cursor.read(PackedRecords.allocate(1000));
                            } catch (WalClosedException e) {
                                return;
                            } catch (IllegalStateException e) {
                                // In use by another thread.
                            } catch (Throwable e) {
                                wrong.compareAndSet(null, e);
                                return;
                            }
                        }
                    });
                    threads.add(thread);
                    thread.start();
                }
                Waits.sleep(3);
                cursor.close();
                for (Thread thread : threads) {
                    thread.join(20_000);
                    assertTrue(!thread.isAlive());
                }
                assertEquals(null, wrong.get());
            }
        }
    }

    @Test
    void a_forgotten_log_is_closed_by_the_garbage_collector_with_a_warning() throws Exception {
        try (Captured captured = new Captured()) {
            forget();
            assertTrue(Waits.until(() -> {
                System.gc();
                try {
                    open().close();
                    return true;
                } catch (WalLockedException e) {
                    return false;
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }), "its lock is let go");
            assertTrue(Waits.until(() -> captured.holds("WARNING", "the log " + directory.resolve("log") + " was not closed")));
            assertTrue(Waits.until(() -> {
                System.gc();
                return captured.holds("WARNING", "a cursor of");
            }));
        }
    }

    private void forget() throws Exception {
        Log log = open();
        log.append(new byte[1]);
        log.appendAsync(new byte[1]).get();
        log.cursor(Position.first()).next();
    }

    @Test
    void opening_and_closing_over_and_over_leaves_nothing_open() throws Exception {
        Path self = Path.of("/proc/self/fd");
        for (int i = 0; i < 20; i++) {
            open().close();
        }
        long before = count(self);
        for (int i = 0; i < 200; i++) {
            try (Log log = open(); Follower follower = log.follow(Position.end())) {
                log.appendAsync(new byte[1]).get();
                follower.seek(Position.first());
                follower.next();
            }
        }
        assertTrue(Waits.until(() -> count(self) <= before + 5), () -> "from " + before + " to " + count(self));
    }

    private static long count(Path path) {
        try (var files = Files.list(path)) {
            return files.count();
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void events_of_the_engine_come_to_the_system_logger() throws Exception {
        try (Captured captured = new Captured()) {
            open().close();
            assertTrue(Waits.until(() -> captured.holds("FINE", "opened") && captured.holds("FINE", "closed")));
        }
    }

    @Test
    void options_out_of_range_are_refused_by_name() {
        assertThrows(IllegalArgumentException.class, () -> Options.builder().segmentBytes(-1));
        assertThrows(NullPointerException.class, () -> Options.builder().level(null));
        assertThrows(NullPointerException.class, () -> Options.builder().lockWait(null));
        assertThrows(NullPointerException.class, () -> Log.open(null));
        assertThrows(NullPointerException.class, () -> Log.open(directory.resolve("x"), null));
        Options tiny = Options.builder().segmentBytes(10).build();
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> Log.open(directory.resolve("x"), tiny));
        assertTrue(refused.getMessage().contains("segment_bytes"), refused.getMessage());
        Options zero = Options.builder().firstLsn(0).build();
        assertThrows(IllegalArgumentException.class, () -> Log.open(directory.resolve("x"), zero));
    }

    @Test
    void a_path_is_taken_byte_by_byte() throws Exception {
        for (String name : List.of("with space", "100%", "a%20b", "#?;", "\u00e4\u4e2d")) {
            Path path;
            try {
                path = directory.resolve(name);
            } catch (java.nio.file.InvalidPathException e) {
                continue; // The JVM's own encoding cannot express it.
            }
            Log.open(path).close();
            assertTrue(Files.isDirectory(path), name);
            Log.open(path).close();
        }
    }
}
