package io.libwal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppendTest {
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

    private byte[] read(long lsn) throws WalException {
        return log.read(lsn).bytes();
    }

    @Test
    void null_is_refused_and_nothing_is_appended() {
        assertThrows(NullPointerException.class, () -> log.append((byte[]) null));
        assertThrows(NullPointerException.class, () -> log.append((ByteBuffer) null));
        assertThrows(NullPointerException.class, () -> log.append(null, 0, 0));
        assertThrows(NullPointerException.class, () -> log.append(new byte[1], null));
        assertThrows(NullPointerException.class, () -> log.appendAsync(null));
        assertThrows(NullPointerException.class, () -> log.appendBatchAsync(null));
        assertThrows(NullPointerException.class, () -> log.appendBatch((List<byte[]>) null));
        assertThrows(NullPointerException.class, () -> log.appendBatch((PackedRecords) null));
        assertThrows(NullPointerException.class, () -> log.appendBatch(Arrays.asList(new byte[1], null)));
        assertThrows(NullPointerException.class, () -> log.appendAt(1, null));
        assertThrows(NullPointerException.class, () -> log.onDurable(null));
        assertEquals(1, log.nextLsn());
    }

    @Test
    void a_part_outside_the_array_is_refused() {
        byte[] bytes = new byte[10];
        assertThrows(IndexOutOfBoundsException.class, () -> log.append(bytes, 5, 6));
        assertThrows(IndexOutOfBoundsException.class, () -> log.append(bytes, -1, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> log.append(bytes, 0, -1));
        assertThrows(IndexOutOfBoundsException.class, () -> log.append(bytes, Integer.MAX_VALUE, Integer.MAX_VALUE));
        assertEquals(1, log.nextLsn());
    }

    @Test
    void a_batch_without_records_is_refused() {
        assertThrows(IllegalArgumentException.class, () -> log.appendBatch(Collections.emptyList()));
        assertThrows(IllegalArgumentException.class, () -> log.appendBatch(PackedRecords.allocate(100)));
        assertEquals(1, log.nextLsn());
    }

    @Test
    void a_record_over_the_limit_is_refused_and_one_at_the_limit_is_not() throws Exception {
        try (Log small = Log.open(directory.resolve("small"), Options.builder().recordBytesMax(5000).build())) {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> small.append(new byte[5001]));
            assertTrue(refused.getMessage().contains("5000"), refused.getMessage());
            assertEquals(1, small.append(new byte[5000]));
        }
    }

    @Test
    void the_wrong_expected_lsn_is_a_conflict_that_names_the_next_one() throws Exception {
        log.append(new byte[1]);
        WalConflictException conflict = assertThrows(WalConflictException.class, () -> log.appendAt(7, new byte[1]));
        assertEquals(2, conflict.lsn().getAsLong());
        assertEquals(ErrorKind.CONFLICT, conflict.kind());
        assertThrows(IllegalArgumentException.class, () -> log.appendAt(0, new byte[1]));
        assertThrows(IllegalArgumentException.class, () -> log.appendAt(-3, new byte[1]));
        assertEquals(2, log.appendAt(2, new byte[1]));
    }

    @Test
    void empty_and_huge_records_come_back_as_they_were() throws Exception {
        byte[] huge = new byte[48 << 20];
        new java.util.Random(1).nextBytes(huge);
        assertEquals(1, log.append(new byte[0]));
        assertEquals(2, log.append(huge));
        assertEquals(3, log.append(ByteBuffer.allocateDirect(0)));
        assertEquals(0, read(1).length);
        assertArrayEquals(huge, read(2));
        assertEquals(0, read(3).length);
    }

    @Test
    void records_around_the_size_of_the_stack_buffer_come_back_as_they_were() throws Exception {
        for (int length : new int[] {1, 4095, 4096, 4097, 100_000}) {
            byte[] record = new byte[length];
            Arrays.fill(record, (byte) length);
            assertArrayEquals(record, read(log.append(record)));
        }
    }

    @Test
    void every_kind_of_buffer_is_appended_from_position_to_limit_and_moved() throws Exception {
        byte[] bytes = "0123456789".getBytes(UTF_8);
        ByteBuffer direct = ByteBuffer.allocateDirect(10).put(bytes);
        ByteBuffer[] buffers = {
            ByteBuffer.wrap(bytes),
            ByteBuffer.wrap(bytes).asReadOnlyBuffer(),
            direct,
            direct.asReadOnlyBuffer(),
            ByteBuffer.wrap("xx0123456789".getBytes(UTF_8), 2, 10).slice(),
        };
        for (ByteBuffer buffer : buffers) {
            buffer.limit(7).position(2);
            assertEquals("23456", new String(read(log.append(buffer)), UTF_8), buffer.toString());
            assertEquals(7, buffer.position());
        }
    }

    @Test
    void a_refused_buffer_is_not_moved() throws Exception {
        log.close();
        ByteBuffer buffer = ByteBuffer.allocateDirect(10);
        assertThrows(WalClosedException.class, () -> log.append(buffer));
        assertEquals(0, buffer.position());
    }

    @Test
    void what_is_done_to_an_array_after_the_call_does_not_change_the_record() throws Exception {
        byte[] record = new byte[100];
        log.append(record);
        var future = log.appendAsync(record);
        var batch = log.appendBatchAsync(List.of(record, record));
        Arrays.fill(record, (byte) 1);
        future.get();
        batch.get();
        for (long lsn = 1; lsn <= 4; lsn++) {
            assertArrayEquals(new byte[100], read(lsn));
        }
    }

    /** Another thread writes into the buffers all the time: each record is some mixture, and every byte verifies. */
    @Test
    void a_buffer_that_changes_while_it_is_appended_harms_nothing() throws Exception {
        ByteBuffer direct = ByteBuffer.allocateDirect(20_000);
        byte[] array = new byte[20_000];
        PackedRecords packed = PackedRecords.allocate(50_000);
        packed.add(array);
        packed.add(array);
        AtomicBoolean isOver = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            byte value = 0;
            while (!isOver.get()) {
                value++;
                Arrays.fill(array, value);
                ByteBuffer target = direct.duplicate();
                target.clear();
                target.put(array);
            }
        });
        writer.start();
        AppendOptions buffered = AppendOptions.defaults().withLevel(Level.BUFFERED);
        for (int i = 0; i < 200; i++) {
            log.append(array, buffered);
            log.appendAsync(array, buffered);
            direct.clear();
            log.append(direct);
            log.appendBatch(packed);
        }
        isOver.set(true);
        writer.join();
        log.close();
        assertTrue(Logs.verify(log.path()).findings().isEmpty());
    }

    @Test
    void a_batch_gets_lsns_in_a_row_and_says_where_it_ends() throws Exception {
        log.append(new byte[1]);
        LsnRange lsns = log.appendBatch(List.of("a".getBytes(UTF_8), new byte[0], "c".getBytes(UTF_8)));
        assertEquals("2-4", lsns.toString());
        assertEquals(3, lsns.count());
        assertTrue(log.read(2).batchContinues() && log.read(3).batchContinues());
        assertFalse(log.read(4).batchContinues());
    }

    @Test
    void packed_records_are_appended_as_one_batch_and_can_be_used_again() throws Exception {
        PackedRecords records = PackedRecords.allocate(64);
        assertTrue(records.add("abc".getBytes(UTF_8)));
        assertTrue(records.add(ByteBuffer.wrap("12345678".getBytes(UTF_8))));
        assertFalse(records.add("no room left".getBytes(UTF_8)));
        assertEquals("1-2", log.appendBatch(records).toString());
        assertEquals("3-4", log.appendBatch(records).toString());
        records.clear();
        assertTrue(records.add("again".getBytes(UTF_8)));
        log.appendBatch(records);
        assertEquals("12345678", new String(read(4), UTF_8));
        assertEquals("again", new String(read(5), UTF_8));
        assertThrows(IndexOutOfBoundsException.class, () -> records.slice(1));
    }

    @Test
    void records_that_were_read_are_not_taken_for_an_append() throws Exception {
        log.append(new byte[1]);
        PackedRecords records = PackedRecords.allocate(64);
        try (Cursor cursor = log.cursor(Position.first())) {
            assertEquals(1, cursor.read(records));
        }
        assertThrows(IllegalArgumentException.class, () -> log.appendBatch(records));
    }

    @Test
    void an_append_without_room_says_what_its_options_say() throws Exception {
        try (Log full = fullLog()) {
            AppendOptions never = AppendOptions.defaults().withWait(Duration.ZERO);
            AppendOptions shortly = AppendOptions.defaults().withWait(Duration.ofMillis(120));
            byte[] record = new byte[40_000];
            assertThrows(WalWouldBlockException.class, () -> full.append(record, never));
            long start = System.nanoTime();
            assertThrows(WalTimeoutException.class, () -> full.append(record, shortly));
            assertTrue(System.nanoTime() - start >= 120_000_000L);
        }
    }

    @Test
    void an_append_that_waits_for_room_is_interrupted_and_has_appended_nothing() throws Exception {
        try (Log full = fullLog()) {
            long next = full.nextLsn();
            Thread test = Thread.currentThread();
            Thread interrupter = new Thread(() -> {
                Waits.sleep(100);
                test.interrupt();
            });
            interrupter.start();
            assertThrows(InterruptedIOException.class, () -> full.append(new byte[40_000]));
            assertTrue(Thread.interrupted(), "the thread still says so");
            interrupter.join();
            assertEquals(next, full.nextLsn());
        }
    }

    /** A log that waits for a trim. */
    private Log fullLog() throws Exception {
        Options options = Options.builder().segmentBytes(65536).maxBytes(131072).atCapacity(AtCapacity.BLOCK).build();
        Log full = Log.open(directory.resolve("full"), options);
        AppendOptions never = AppendOptions.defaults().withWait(Duration.ZERO);
        try {
            while (true) {
                full.append(new byte[20_000], never);
            }
        } catch (WalWouldBlockException e) {
            return full;
        }
    }

    @Test
    void a_level_below_the_logs_is_acknowledged_before_it_is_durable_and_sync_makes_it_so() throws Exception {
        long lsn = log.append(new byte[10], AppendOptions.defaults().withLevel(Level.BUFFERED));
        assertEquals(lsn, log.sync().getAsLong());
        assertEquals(lsn, log.durableLsn().getAsLong());
    }

    @Test
    void a_given_commit_time_is_the_records() throws Exception {
        Instant time = Instant.parse("2020-02-03T04:05:06.789Z");
        log.append(new byte[1], AppendOptions.defaults().withTime(time));
        assertEquals(time, log.timeOf(1));
    }
}
