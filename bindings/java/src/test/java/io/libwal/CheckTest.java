package io.libwal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.AbstractMap;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Errors, reports, values, and what is done to logs as a whole. */
class CheckTest {
    @TempDir Path directory;

    private Path path() {
        return directory.resolve("log");
    }

    /** A log whose second record is damaged, in a segment that an opening does not read. */
    private Path damaged() throws Exception {
        try (Log log = Log.open(path(), Options.builder().segmentBytes(65536).build())) {
            for (String text : List.of("one", "two", "three")) {
                log.append(text.getBytes(UTF_8));
            }
            log.append(new byte[60_000]);
            log.append(new byte[1]);
        }
        Path segment = path().resolve("00000000000000000001.wal");
        try (FileChannel file = FileChannel.open(segment, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
            file.read(bytes, 0);
            int at = new String(bytes.array(), java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("two");
            file.write(ByteBuffer.wrap("TWO".getBytes(UTF_8)), at);
        }
        return path();
    }

    @Test
    void damage_is_told_with_lsn_segment_offset_and_file() throws Exception {
        try (Log log = Log.open(damaged())) {
            WalCorruptException corrupt = assertThrows(WalCorruptException.class, () -> log.read(2));
            assertEquals(ErrorKind.CORRUPT, corrupt.kind());
            assertEquals(2, corrupt.lsn().getAsLong());
            assertEquals(1, corrupt.segment().getAsLong());
            assertTrue(corrupt.offset().getAsLong() > 0);
            assertEquals(path().resolve("00000000000000000001.wal"), corrupt.path().get());
            assertEquals("2-2", corrupt.lsns().get().toString());
            assertTrue(corrupt.errno().isEmpty());
            assertTrue(corrupt.getMessage().startsWith("corrupt: expected"), corrupt.getMessage());
        }
    }

    @Test
    void an_exception_survives_serialization() throws Exception {
        try (Log log = Log.open(damaged())) {
            WalCorruptException corrupt = assertThrows(WalCorruptException.class, () -> log.read(2));
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            new ObjectOutputStream(bytes).writeObject(corrupt);
            WalCorruptException read = (WalCorruptException)
                    new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
            assertEquals(corrupt.getMessage(), read.getMessage());
            assertEquals(corrupt.offset(), read.offset());
            assertEquals(corrupt.path(), read.path());
        }
    }

    @Test
    void damage_is_found_and_repaired_and_what_is_lost_is_told() throws Exception {
        VerifyReport report = Logs.verify(damaged());
        assertEquals(1, report.findings().size());
        Finding finding = report.findings().get(0);
        assertTrue(finding.recordsAtStake());
        assertEquals(2, finding.error().lsn().getAsLong());
        RepairReport plan = Logs.planRepair(path());
        assertFalse(plan.isChanged());
        assertEquals("[2-5]", plan.lost().toString());
        RepairReport repair = Logs.repair(path());
        assertTrue(repair.isChanged());
        assertTrue(Files.isDirectory(repair.backup().get()));
        assertEquals(List.of(), Logs.verify(path()).findings());
        try (Log log = Log.open(path())) {
            assertEquals(1, log.lastLsn().getAsLong());
        }
    }

    @Test
    void progress_is_told_and_may_throw() throws Exception {
        damaged();
        AtomicLong total = new AtomicLong();
        Logs.verify(path(), (done, of) -> total.set(of));
        assertTrue(total.get() > 0);
        RuntimeException own = new RuntimeException("the callback's own");
        assertSame(own, assertThrows(RuntimeException.class, () -> Logs.verify(path(), (done, of) -> {
            throw own;
        })));
    }

    @Test
    void a_log_that_is_not_there_is_not_found() {
        assertThrows(WalNotFoundException.class, () -> Logs.info(path()));
        assertThrows(WalNotFoundException.class, () -> Logs.verify(path()));
        assertThrows(WalNotFoundException.class, () -> Logs.repair(path()));
        assertThrows(WalNotFoundException.class, () -> Logs.destroy(path()));
        Options existing = Options.builder().create(false).build();
        assertThrows(WalNotFoundException.class, () -> Log.open(path(), existing));
        assertThrows(WalNotFoundException.class, () -> Log.openReadOnly(path(), Options.defaults()));
        assertThrows(NullPointerException.class, () -> Logs.info(null));
        assertThrows(NullPointerException.class, () -> Logs.verify(path(), null));
        assertFalse(Files.exists(path()));
    }

    @Test
    void a_file_in_the_place_of_a_log_is_a_wrong_argument() throws Exception {
        Files.createFile(path());
        assertThrows(IllegalArgumentException.class, () -> Log.open(path()));
    }

    @Test
    void a_system_that_refuses_is_told_with_its_number() throws Exception {
        Path inFile = Files.createFile(directory.resolve("file")).resolve("log");
        Exception refused = assertThrows(Exception.class, () -> Log.open(inFile));
        if (refused instanceof WalIoException) {
            assertEquals(20, ((WalIoException) refused).errno().getAsInt());
        } else {
            assertTrue(refused instanceof IllegalArgumentException, refused.toString());
        }
    }

    @Test
    void info_and_stats_tell_what_the_log_is() throws Exception {
        try (Log log = Log.open(path(), Options.builder().firstLsn(10).level(Level.OS).build())) {
            log.appendBatch(List.of(new byte[5], new byte[6]));
            log.values().set(new byte[1], new byte[1]);
            Stats stats = log.stats();
            assertEquals(Level.OS, stats.level());
            assertEquals(10, stats.firstLsn().getAsLong());
            assertEquals(12, stats.nextLsn());
            assertEquals(2, stats.counters().records());
            assertEquals(11, stats.counters().recordBytes());
            assertTrue(stats.poisoned().isEmpty());
            assertEquals(1, stats.segments().size());
            assertFalse(stats.segments().get(0).isSealed());
            assertTrue(stats.writeLatency().count() >= 1);
            assertTrue(stats.writeLatency().buckets().get(0).count() >= 1);
            LogInfo info = Logs.info(path());
            assertTrue(info.isWriterAlive());
            assertEquals(log.uuid(), info.uuid());
            assertEquals(1, info.values());
            assertEquals(11, info.lastLsn().getAsLong());
            assertTrue(info.lastTime().isPresent());
        }
        assertTrue(Logs.info(path()).isClean());
        assertEquals("clean", Logs.info(path()).recovery().caseLabel());
    }

    @Test
    void a_copy_is_a_log_of_its_own_and_a_destroyed_log_is_gone() throws Exception {
        Path target = directory.resolve("copy");
        try (Log log = Log.open(path())) {
            log.append("kept".getBytes(UTF_8));
            CopyReport report = log.copyTo(target);
            assertEquals(1, report.records());
            assertEquals(1, report.lastLsn().getAsLong());
            assertThrows(IllegalArgumentException.class, () -> log.copyTo(target));
            assertThrows(WalLockedException.class, () -> Logs.destroy(path()));
        }
        Logs.destroy(path());
        assertFalse(Files.exists(path()));
        try (Log copy = Log.open(target)) {
            assertEquals("kept", new String(copy.read(1).bytes(), UTF_8));
        }
    }

    @Test
    void values_are_set_deleted_and_listed_together() throws Exception {
        byte[] term = "term".getBytes(UTF_8);
        byte[] vote = "vote".getBytes(UTF_8);
        try (Log log = Log.open(path())) {
            Values values = log.values();
            values.update(List.of(Map.entry(term, new byte[] {7}), Map.entry(vote, new byte[] {2})));
            values.update(List.of(new AbstractMap.SimpleEntry<>(vote, null)));
            assertArrayEquals(new byte[] {7}, values.get(term).get());
            assertTrue(values.get(vote).isEmpty());
            assertFalse(values.delete(vote));
            assertTrue(values.delete(term));
            values.set(vote, new byte[0]);
            assertEquals(1, values.list().size());
            assertArrayEquals(vote, values.list().get(0).getKey());
            assertThrows(IllegalArgumentException.class, () -> values.set(new byte[0], term));
            assertThrows(IllegalArgumentException.class, () -> values.set(term, new byte[5000]));
            assertThrows(NullPointerException.class, () -> values.set(null, term));
            assertThrows(NullPointerException.class, () -> values.set(term, null));
            assertThrows(NullPointerException.class, () -> values.get(null));
            assertThrows(NullPointerException.class, () -> values.delete(null));
        }
        try (Log log = Log.open(path())) {
            assertArrayEquals(new byte[0], log.values().get(vote).get());
        }
    }

    @Test
    void truncating_and_resetting_give_lsns_anew() throws Exception {
        try (Log log = Log.open(path())) {
            log.appendBatch(Arrays.asList(new byte[1], new byte[1], new byte[1]));
            assertEquals(2, log.trim(2).getAsLong());
            log.truncate(2);
            assertEquals(3, log.append(new byte[1]));
            assertEquals(3, assertThrows(WalInvalidException.class, () -> log.truncate(9)).lsn().getAsLong());
            assertThrows(WalTrimmedException.class, () -> log.cursor(Position.at(1)));
            log.resetTo(100);
            assertTrue(log.firstLsn().isEmpty());
            assertEquals(100, log.append(new byte[1]));
            assertThrows(IllegalArgumentException.class, () -> log.resetTo(0));
        }
    }

    /** The list is the one all languages share. */
    @Test
    void kinds_have_the_names_and_numbers_of_the_list() throws Exception {
        Path list = Path.of("..", "codes.toml");
        Matcher codes = Pattern.compile("\\[\\[code]]\\s+name = \"(\\w+)\"\\s+number = (-\\d+)").matcher(Files.readString(list));
        int found = 0;
        while (codes.find()) {
            int number = Integer.parseInt(codes.group(2));
            if (number != -17) {
                assertEquals(number, ErrorKind.valueOf(codes.group(1)).code());
                found++;
            }
            long[] numbers = {number, -1, -1, -1, -1, -1, -1};
            Exception exception = new ErrorDetails(numbers, "a message", null).toException();
            if (exception instanceof WalException) {
                int kind = ((WalException) exception).kind().code();
                assertEquals(number == -17 ? -16 : number, kind, "a caught panic is internal");
            }
        }
        assertEquals(ErrorKind.values().length, found);
    }

    /** The list is the one all languages share: twenty options, each a method of the builder. */
    @Test
    void every_option_of_the_list_is_there() throws Exception {
        Matcher options = Pattern.compile("\\[\\[option]]\\s+name = \"(\\w+)\"").matcher(Files.readString(Path.of("..", "codes.toml")));
        int found = 0;
        while (options.find()) {
            Matcher underscores = Pattern.compile("_(.)").matcher(options.group(1));
            String name = underscores.replaceAll(match -> match.group(1).toUpperCase());
            assertTrue(Arrays.stream(Options.Builder.class.getMethods()).anyMatch(method -> method.getName().equals(name)), name);
            found++;
        }
        assertEquals(Options.defaults().numbers().length, found);
    }
}
