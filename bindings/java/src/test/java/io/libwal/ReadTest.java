package io.libwal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadTest {
    @TempDir Path directory;
    private Log log;

    @BeforeEach
    void open() throws Exception {
        log = Log.open(directory.resolve("log"), Options.builder().level(Level.OS).build());
    }

    @AfterEach
    void close() throws Exception {
        log.close();
    }

    private void append(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            log.append(("record " + log.nextLsn()).getBytes(UTF_8));
        }
    }

    @Test
    void positions_that_are_not_there_are_told_apart() throws Exception {
        append(10);
        log.trim(5);
        assertEquals(5, assertThrows(WalTrimmedException.class, () -> log.read(4)).lsn().getAsLong());
        assertThrows(WalNotFoundException.class, () -> log.read(11));
        assertThrows(IllegalArgumentException.class, () -> log.read(0));
        assertThrows(IllegalArgumentException.class, () -> log.read(-1));
        assertThrows(WalTrimmedException.class, () -> log.cursor(Position.at(1)));
        assertThrows(WalNotFoundException.class, () -> log.cursor(Position.at(12)));
        assertThrows(NullPointerException.class, () -> log.cursor(null));
        assertThrows(NullPointerException.class, () -> log.follow(null));
        assertThrows(NullPointerException.class, () -> Position.time(null));
    }

    @Test
    void a_truncation_is_told_once_and_the_cursor_goes_on() throws Exception {
        append(10);
        try (Cursor cursor = log.cursor(Position.at(9))) {
            log.truncate(5);
            assertEquals(5, assertThrows(WalTruncatedException.class, cursor::next).lsn().getAsLong());
            append(1);
            assertEquals(6, cursor.next().lsn());
        }
    }

    @Test
    void a_cursor_walks_both_ways() throws Exception {
        append(3);
        try (Cursor cursor = log.cursor(Position.first())) {
            assertNull(cursor.prev());
            assertEquals("record 1", new String(cursor.next().bytes(), UTF_8));
            assertEquals(2, cursor.next().lsn());
            assertEquals(2, cursor.prev().lsn());
            assertEquals(2, cursor.nextLsn());
            cursor.seek(Position.end());
            assertNull(cursor.next());
            assertEquals(3, cursor.prev().lsn());
        }
    }

    @Test
    void a_cursor_stands_behind_the_last_record_its_loop_has_seen() throws Exception {
        append(1000);
        try (Cursor cursor = log.cursor(Position.first())) {
            for (Record record : cursor) {
                if (record.lsn() == 300) {
                    break;
                }
            }
            assertEquals(301, cursor.nextLsn());
            assertEquals(log.timeOf(300), cursor.time());
            assertEquals(301, cursor.next().lsn());
            assertEquals(log.timeOf(301), cursor.time());
            assertEquals(301, cursor.prev().lsn());
            assertEquals(700, Stream.iterate(cursor.iterator(), i -> i).limit(700).map(Iterator::next).count());
            append(1);
            assertEquals(1001, cursor.iterator().next().lsn());
        }
    }

    @Test
    void a_loop_throws_what_the_cursor_would_have() throws Exception {
        append(10);
        try (Cursor cursor = log.cursor(Position.first())) {
            log.trim(5);
            UncheckedIOException thrown =
                    assertThrows(UncheckedIOException.class, () -> cursor.iterator().hasNext());
            assertEquals(5, ((WalTrimmedException) thrown.getCause()).lsn().getAsLong());
        }
    }

    @Test
    void a_stream_closes_its_cursor() throws Exception {
        append(600);
        Cursor cursor = log.cursor(Position.at(101));
        try (Stream<Record> records = cursor.stream()) {
            List<Long> lsns = records.map(Record::lsn).filter(lsn -> lsn % 100 == 0).collect(Collectors.toList());
            assertEquals(List.of(200L, 300L, 400L, 500L, 600L), lsns);
        }
        assertThrows(WalClosedException.class, cursor::next);
    }

    @Test
    void a_time_leads_to_its_record() throws Exception {
        Instant start = Instant.parse("2024-01-01T00:00:00Z");
        for (int i = 0; i < 5; i++) {
            log.append(new byte[1], AppendOptions.defaults().withTime(start.plusSeconds(i)));
        }
        try (Cursor cursor = log.cursor(Position.time(start.plusSeconds(2)))) {
            assertEquals(3, cursor.next().lsn());
            assertEquals(start.plusSeconds(2), cursor.time());
            cursor.seekTime(Instant.MAX);
            assertNull(cursor.next());
            cursor.seekTime(Instant.MIN);
            assertEquals(1, cursor.next().lsn());
        }
    }

    @Test
    void time_before_the_first_record_was_returned_is_refused() throws Exception {
        append(1);
        try (Cursor cursor = log.cursor(Position.first())) {
            assertThrows(IllegalArgumentException.class, cursor::time);
        }
    }

    @Test
    void packed_reads_give_read_only_slices_and_make_room_for_a_long_record() throws Exception {
        log.appendBatch(List.of("a".getBytes(UTF_8), "bc".getBytes(UTF_8)));
        log.append(new byte[100_000]);
        PackedRecords records = PackedRecords.allocate(100);
        try (Cursor cursor = log.cursor(Position.first())) {
            assertEquals(1, cursor.read(records, 1));
            assertEquals(1, cursor.read(records));
            assertEquals(2, records.lsn(0));
            ByteBuffer slice = records.slice(0);
            assertEquals("bc", UTF_8.decode(slice.duplicate()).toString());
            assertThrows(ReadOnlyBufferException.class, () -> slice.put(0, (byte) 1));
            assertEquals(1, cursor.read(records));
            assertEquals(100_000, records.length(0));
            assertEquals(100_000, records.slice(0).remaining());
            assertEquals(0, cursor.read(records));
            assertEquals(0, records.count());
            assertThrows(IllegalArgumentException.class, () -> cursor.read(records, 0));
            assertThrows(NullPointerException.class, () -> cursor.read(null));
        }
        assertThrows(IllegalArgumentException.class, () -> PackedRecords.allocate(-1));
    }

    @Test
    void a_slice_outlives_the_memory_that_was_outgrown() throws Exception {
        log.append("kept".getBytes(UTF_8));
        log.append(new byte[50_000]);
        PackedRecords records = PackedRecords.allocate(64);
        try (Cursor cursor = log.cursor(Position.first())) {
            cursor.read(records, 1);
            ByteBuffer slice = records.slice(0);
            cursor.read(records);
            System.gc();
            assertEquals("kept", UTF_8.decode(slice).toString());
        }
    }

    @Test
    void a_replay_stops_when_it_is_told_to_and_throws_what_its_callback_throws() throws Exception {
        append(100);
        List<Long> seen = new ArrayList<>();
        assertEquals(7, log.replay(Position.at(3), record -> {
            seen.add(record.lsn());
            return record.lsn() < 7;
        }).getAsLong());
        assertEquals(List.of(3L, 4L, 5L, 6L, 7L), seen);
        Exception own = new Exception("the callback's own");
        assertSame(own, assertThrows(Exception.class, () -> log.replay(Position.first(), record -> {
            throw own;
        })));
        Error error = new AssertionError("also an error");
        assertSame(error, assertThrows(AssertionError.class, () -> log.replay(Position.first(), record -> {
            throw error;
        })));
        assertTrue(log.replay(Position.end(), record -> true).isEmpty());
        assertThrows(NullPointerException.class, () -> log.replay(Position.first(), null));
    }

    @Test
    void a_parallel_replay_delivers_everything_and_throws_what_its_callback_throws() throws Exception {
        append(5000);
        java.util.concurrent.atomic.AtomicLong sum = new java.util.concurrent.atomic.AtomicLong();
        assertEquals(5000, log.replayParallel(Position.first(), 3, false, record -> {
            sum.addAndGet(record.lsn());
            return true;
        }));
        assertEquals(5000L * 5001 / 2, sum.get());
        Exception own = new Exception("the callback's own");
        assertSame(own, assertThrows(Exception.class, () -> log.replayParallel(Position.first(), 2, true, record -> {
            throw own;
        })));
        assertThrows(IllegalArgumentException.class, () -> log.replayParallel(Position.first(), -1, true, r -> true));
    }

    @Test
    void a_callback_may_call_the_log() throws Exception {
        append(3);
        log.replay(Position.first(), record -> {
            assertEquals(record.lsn(), log.read(record.lsn()).lsn());
            log.append(record.bytes());
            return true;
        });
        assertEquals(6, log.lastLsn().getAsLong());
    }

    @Test
    void records_all_over_the_log_come_in_the_order_asked_for() throws Exception {
        append(20);
        List<Long> seen = new ArrayList<>();
        long[] lsns = {20, 1, 7, 7, 99, 2};
        assertThrows(WalNotFoundException.class, () -> log.readMany(lsns, record -> seen.add(record.lsn())));
        assertEquals(List.of(20L, 1L, 7L, 7L), seen);
        assertEquals(2, log.readMany(new long[] {5, 6, 7}, record -> record.lsn() < 6));
        assertEquals(0, log.readMany(new long[0], record -> true));
        assertThrows(NullPointerException.class, () -> log.readMany(null, record -> true));
    }

    @Test
    void many_records_leave_no_references_behind_in_one_call() throws Exception {
        append(10_000);
        assertEquals(10_000, log.replay(Position.first(), record -> true).getAsLong());
        long[] lsns = java.util.stream.LongStream.rangeClosed(1, 10_000).toArray();
        assertEquals(10_000, log.readMany(lsns, record -> true));
    }

    @Test
    void a_read_only_log_sees_what_the_writer_appends_and_refuses_to_write() throws Exception {
        append(2);
        try (Log reader = Log.openReadOnly(log.path(), Options.defaults())) {
            assertEquals(2, reader.lastLsn().getAsLong());
            append(1);
            assertEquals("record 3", new String(reader.read(3).bytes(), UTF_8));
            assertThrows(IllegalArgumentException.class, () -> reader.append(new byte[1]));
            assertThrows(IllegalArgumentException.class, reader::stats);
            assertThrows(IllegalArgumentException.class, () -> reader.trim(1));
            assertEquals(log.uuid(), reader.uuid());
        }
    }
}
