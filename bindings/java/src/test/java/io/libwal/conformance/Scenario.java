package io.libwal.conformance;

import io.libwal.AppendOptions;
import io.libwal.AtCapacity;
import io.libwal.CopyReport;
import io.libwal.Cursor;
import io.libwal.DurableSubscription;
import io.libwal.Finding;
import io.libwal.Follower;
import io.libwal.IoMode;
import io.libwal.Level;
import io.libwal.Log;
import io.libwal.LogInfo;
import io.libwal.Logs;
import io.libwal.LsnRange;
import io.libwal.Options;
import io.libwal.PackedRecords;
import io.libwal.Position;
import io.libwal.ReadMode;
import io.libwal.Record;
import io.libwal.RecoveryReport;
import io.libwal.RepairReport;
import io.libwal.SegmentStats;
import io.libwal.Stats;
import io.libwal.VerifyReport;
import io.libwal.WalClosedException;
import io.libwal.WalException;
import io.libwal.WalInvalidException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractMap.SimpleEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.zip.CRC32;

/** Takes a scenario line by line, through the public API alone, and prints what came of it. */
final class Scenario {
    private final Path scenario;
    private final Path scratch;
    private final PrintStream out;
    private final Map<String, Log> logs = new HashMap<>();
    private final Map<String, Cursor> cursors = new HashMap<>();
    private final Map<String, Follower> followers = new HashMap<>();
    private final Map<String, CompletableFuture<LsnRange>> tickets = new HashMap<>();
    /** Lines of the result before its last one. */
    private final List<String> lines = new ArrayList<>();

    Scenario(Path scenario, Path scratch, PrintStream out) {
        this.scenario = scenario;
        this.scratch = scratch;
        this.out = out;
    }

    void run() throws Exception {
        for (String text : java.nio.file.Files.readAllLines(scenario)) {
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            Line line = new Line(text);
            String answer;
            try {
                answer = take(line);
            } catch (Line.Misread e) {
                throw e;
            } catch (UncheckedIOException | ExecutionException e) {
                answer = refusal((Exception) e.getCause());
            } catch (Exception e) {
                answer = refusal(e);
            }
            line.checkAllTaken();
            out.print("> " + text + "\n");
            lines.forEach(extra -> out.print(extra + "\n"));
            lines.clear();
            out.print(answer + "\n");
        }
    }

    private static String refusal(Exception error) throws Exception {
        if (error instanceof WalInvalidException) {
            OptionalLong lsn = ((WalInvalidException) error).lsn();
            return "error invalid" + (lsn.isPresent() ? " lsn=" + lsn.getAsLong() : "");
        }
        if (error instanceof IllegalArgumentException) {
            return "error invalid";
        }
        if (error instanceof WalClosedException) {
            return "error closed";
        }
        if (error instanceof TimeoutException) {
            return "error timeout";
        }
        if (!(error instanceof WalException)) {
            throw error;
        }
        WalException refused = (WalException) error;
        StringBuilder line = new StringBuilder("error " + refused.kind().name().toLowerCase(Locale.ROOT));
        refused.lsn().ifPresent(lsn -> line.append(" lsn=").append(lsn));
        refused.segment().ifPresent(segment ->
                line.append(" segment=").append(segment).append(" offset=").append(refused.offset().orElse(0)));
        return line.toString();
    }

    private String take(Line line) throws Exception {
        String answer = Files.take(line, directory(line), scratch, scenario.toAbsolutePath().getParent().resolve("../golden"));
        answer = answer != null ? answer : opening(line);
        answer = answer != null ? answer : appending(line);
        answer = answer != null ? answer : reading(line);
        answer = answer != null ? answer : following(line);
        answer = answer != null ? answer : changing(line);
        answer = answer != null ? answer : looking(line);
        if (answer == null) {
            throw new Line.Misread("there is no operation " + line.name);
        }
        return answer;
    }

    private Path directory(Line line) {
        return scratch.resolve(line.optional("dir", "log"));
    }

    private Log log(Line line) {
        return logs.get(line.optional("log", "log"));
    }

    private String opening(Line line) throws Exception {
        switch (line.name) {
            case "open":
            case "open_read_only":
                String name = line.optional("log", "log");
                Options options = options(line);
                Log log = line.name.equals("open")
                        ? Log.open(directory(line), options)
                        : Log.openReadOnly(directory(line), options);
                Log other = logs.put(name, log);
                if (other != null) {
                    other.close();
                }
                RecoveryReport report = log.recovery();
                String cut = report.cut().map(c -> c.segment() + ":" + c.offset() + ":" + c.bytes()).orElse("-");
                return "ok case=" + report.caseLabel() + " first=" + orDash(report.firstLsn()) + " last="
                        + orDash(report.lastLsn()) + " cut=" + cut;
            case "close":
                log(line).close();
                return "ok";
            case "destroy":
                Logs.destroy(directory(line));
                return "ok";
            case "path":
                return "ok dir=" + log(line).path().getFileName();
            case "uuid":
                return "ok uuid=" + log(line).uuid().toString().replace("-", "");
            case "sleep":
                Thread.sleep(line.number("ms"));
                return "ok";
            case "notifier":
                line.word("records");
                log(line);
                return "UNSUPPORTED notifier";
            default:
                return null;
        }
    }

    private static Options options(Line line) {
        Options.Builder options = Options.builder();
        Map<String, Function<Long, Options.Builder>> counts = Map.ofEntries(
                Map.entry("sync_every_ms", ms -> options.syncEvery(Duration.ofMillis(ms))),
                Map.entry("sync_bytes", options::syncBytes),
                Map.entry("segment_bytes", options::segmentBytes),
                Map.entry("record_bytes_max", options::recordBytesMax),
                Map.entry("batch_bytes_max", options::batchBytesMax),
                Map.entry("ring_bytes", options::ringBytes),
                Map.entry("max_batch_delay_us", us -> options.maxBatchDelay(Duration.ofNanos(us * 1000))),
                Map.entry("max_batch_bytes", options::maxBatchBytes),
                Map.entry("max_bytes", options::maxBytes),
                Map.entry("retention_bytes", options::retentionBytes),
                Map.entry("retention_age_ms", ms -> options.retentionAge(Duration.ofMillis(ms))),
                Map.entry("retention_records", options::retentionRecords),
                Map.entry("lock_wait_ms", ms -> options.lockWait(Duration.ofMillis(ms))),
                Map.entry("first_lsn", options::firstLsn),
                Map.entry("create", yes -> options.create(yes != 0)),
                Map.entry("pad_to_block", yes -> options.padToBlock(yes != 0)));
        counts.forEach((key, set) -> {
            if (line.has(key)) {
                set.apply(line.number(key));
            }
        });
        if (line.has("level")) {
            options.level(Level.valueOf(upper(line, "level")));
        }
        if (line.has("at_capacity")) {
            options.atCapacity(AtCapacity.valueOf(upper(line, "at_capacity")));
        }
        if (line.has("io")) {
            options.io(IoMode.valueOf(upper(line, "io")));
        }
        if (line.has("read_mode")) {
            options.readMode(ReadMode.valueOf(upper(line, "read_mode")));
        }
        return options.build();
    }

    private static String upper(Line line, String key) {
        return line.word(key).toUpperCase(Locale.ROOT);
    }

    private static AppendOptions appendOptions(Line line) {
        AppendOptions options = AppendOptions.defaults();
        if (line.has("level")) {
            options = options.withLevel(Level.valueOf(upper(line, "level")));
        }
        if (line.has("time")) {
            options = options.withTime(time(line.number("time")));
        }
        String wait = line.optional("wait", "block");
        if (!wait.equals("block")) {
            options = options.withWait(Duration.ofMillis(wait.equals("try") ? 0 : Long.parseLong(wait)));
        }
        return options;
    }

    private String appending(Line line) throws Exception {
        switch (line.name) {
            case "append":
                return "ok lsn=" + log(line).append(line.bytes("record"), appendOptions(line));
            case "append_batch":
                return range(log(line).appendBatch(line.manyBytes("records"), appendOptions(line)));
            case "append_packed":
                PackedRecords packed = PackedRecords.allocate(1 << 20);
                line.manyBytes("records").forEach(packed::add);
                return range(log(line).appendBatch(packed));
            case "append_vectored":
                ByteArrayOutputStream joined = new ByteArrayOutputStream();
                line.manyBytes("pieces").forEach(joined::writeBytes);
                return "ok lsn=" + log(line).append(joined.toByteArray());
            case "append_at":
                return "ok lsn=" + log(line).appendAt(line.number("lsn"), line.bytes("record"));
            case "submit":
                tickets.put(line.optional("ticket", "ticket"),
                        log(line).appendBatchAsync(List.of(line.bytes("record")), appendOptions(line)));
                return "ok";
            case "submit_batch":
                tickets.put(line.optional("ticket", "ticket"),
                        log(line).appendBatchAsync(line.manyBytes("records"), appendOptions(line)));
                return "ok";
            case "wait":
                String ticket = line.optional("ticket", "ticket");
                long timeout = line.has("timeout_ms") ? line.number("timeout_ms") : Long.MAX_VALUE;
                LsnRange lsns = tickets.get(ticket).get(timeout, TimeUnit.MILLISECONDS);
                tickets.remove(ticket);
                return range(lsns);
            case "append_async":
                List<CompletableFuture<Long>> futures = new ArrayList<>();
                for (byte[] record : line.manyBytes("records")) {
                    futures.add(log(line).appendAsync(record));
                }
                List<String> done = new ArrayList<>();
                for (CompletableFuture<Long> future : futures) {
                    done.add(future.get().toString());
                }
                return "ok lsns=" + String.join(",", done);
            case "wait_durable":
                Duration wait = line.has("timeout_ms") ? Duration.ofMillis(line.number("timeout_ms")) : Duration.ofDays(1);
                return log(line).waitDurable(line.number("lsn"), wait).isPresent() ? "ok" : "error timeout";
            case "sync":
                return "ok durable=" + orDash(log(line).sync());
            case "on_durable":
                return onDurable(log(line), line.manyBytes("records"));
            case "lsns":
                Log log = log(line);
                return "ok first=" + orDash(log.firstLsn()) + " last=" + orDash(log.lastLsn()) + " durable="
                        + orDash(log.durableLsn()) + " written=" + orDash(log.writtenLsn()) + " submitted="
                        + orDash(log.submittedLsn()) + " next=" + log.nextLsn();
            default:
                return null;
        }
    }

    private static String onDurable(Log log, List<byte[]> records) throws Exception {
        LinkedBlockingQueue<Long> news = new LinkedBlockingQueue<>();
        try (DurableSubscription subscription = log.onDurable(news::add)) {
            List<CompletableFuture<Long>> futures = new ArrayList<>();
            for (byte[] record : records) {
                futures.add(log.appendAsync(record));
            }
            long last = futures.get(futures.size() - 1).get();
            while (true) {
                Long durable = news.poll(10, TimeUnit.SECONDS);
                if (durable == null) {
                    throw new IllegalStateException("was told of nothing");
                }
                if (durable >= last) {
                    return "ok durable=" + durable;
                }
            }
        }
    }

    private static Position position(Line line, String key) {
        String word = line.word(key);
        if (word.equals("first")) {
            return Position.first();
        }
        if (word.equals("end")) {
            return Position.end();
        }
        return word.startsWith("time:")
                ? Position.time(time(Long.parseLong(word.substring(5))))
                : Position.at(Long.parseUnsignedLong(word));
    }

    private String reading(Line line) throws Exception {
        switch (line.name) {
            case "read":
                Record read = log(line).read(line.number("lsn"));
                return "ok lsn=" + read.lsn() + " bytes=" + Literal.print(read.bytes());
            case "read_many":
                long[] lsns = line.items("lsns").stream().mapToLong(Long::parseUnsignedLong).toArray();
                return "ok count=" + log(line).readMany(lsns, record -> lines.add(record(record)));
            case "time_of":
                return "ok time=" + nanos(log(line).timeOf(line.number("lsn")));
            case "cursor":
                String name = line.optional("cursor", "cursor");
                Cursor opened = log(line).cursor(position(line, "from"));
                Cursor other = cursors.put(name, opened);
                if (other != null) {
                    other.close();
                }
                return "ok next=" + opened.nextLsn();
            case "next":
                return step(cursor(line).next());
            case "prev":
                return step(cursor(line).prev());
            case "cursor_time":
                return "ok time=" + nanos(cursor(line).time());
            case "seek":
                cursor(line).seek(position(line, "to"));
                return "ok next=" + cursor(line).nextLsn();
            case "seek_time":
                cursor(line).seekTime(time(line.number("time")));
                return "ok next=" + cursor(line).nextLsn();
            case "read_batch":
                return readBatch(cursor(line), (int) line.number("count"));
            case "iterate":
                try (Cursor cursor = log(line).cursor(position(line, "from"))) {
                    cursor.forEach(record -> lines.add(record(record)));
                }
                return "ok count=" + lines.size();
            case "digest":
                return digest(log(line), position(line, "from"));
            case "replay":
                long stop = line.has("stop") ? line.number("stop") : 0;
                return "ok last=" + orDash(log(line).replay(position(line, "from"), record -> {
                    lines.add(record(record));
                    return record.lsn() != stop;
                }));
            case "replay_parallel":
                AtomicInteger sum = new AtomicInteger();
                long count = log(line).replayParallel(position(line, "from"), (int) line.number("threads"),
                        line.yes("in_order", true), record -> {
                            sum.addAndGet((int) Long.parseLong(Literal.checksum(record.bytes()), 16));
                            return true;
                        });
                return "ok count=" + count + " sum=" + Integer.toUnsignedString(sum.get());
            default:
                return null;
        }
    }

    private Cursor cursor(Line line) {
        return cursors.get(line.optional("cursor", "cursor"));
    }

    private String readBatch(Cursor cursor, int count) throws Exception {
        PackedRecords records = PackedRecords.allocate(1 << 20);
        cursor.read(records, count);
        records.forEach(record -> lines.add(record(record)));
        return "ok count=" + records.count() + " next=" + cursor.nextLsn();
    }

    private static String digest(Log log, Position from) throws Exception {
        long first = 0;
        long last = 0;
        long count = 0;
        CRC32 crc = new CRC32();
        PackedRecords records = PackedRecords.allocate(1 << 20);
        try (Cursor cursor = log.cursor(from)) {
            while (cursor.read(records) > 0) {
                for (int i = 0; i < records.count(); i++) {
                    first = first == 0 ? records.lsn(i) : first;
                    last = records.lsn(i);
                    count++;
                    crc.update(records.slice(i));
                }
            }
        }
        return "ok first=" + (count == 0 ? "-" : first) + " last=" + (count == 0 ? "-" : last) + " count=" + count
                + " crc=" + String.format("%08x", crc.getValue());
    }

    private String following(Line line) throws Exception {
        Follower follower = followers.get(line.optional("follower", "follower"));
        switch (line.name) {
            case "follow":
                Follower opened = log(line).follow(position(line, "from"));
                followers.put(line.optional("follower", "follower"), opened);
                return "ok next=" + opened.nextLsn();
            case "follow_next":
                Record next = follower.next(Duration.ofMillis(line.number("timeout_ms")));
                return next == null ? "error timeout" : step(next);
            case "follow_seek":
                follower.seek(position(line, "to"));
                return "ok next=" + follower.nextLsn();
            case "follow_live":
                List<byte[]> records = line.manyBytes("records");
                return live(log(line), position(line, "from"), records.size(), () -> {
                    for (byte[] record : records) {
                        Thread.sleep(20);
                        log(line).append(record);
                    }
                });
            case "follow_until_closed":
                return live(log(line), position(line, "from"), Integer.MAX_VALUE, () -> {
                    Thread.sleep(20);
                    log(line).close();
                });
            default:
                return null;
        }
    }

    private interface Act {
        void run() throws Exception;
    }

    /** Prints what a follower on another thread gets while something is done here, so many records at the most. */
    private String live(Log log, Position from, int wanted, Act act) throws Exception {
        try (Follower follower = log.follow(from)) {
            CompletableFuture<List<String>> followed = new CompletableFuture<>();
            List<String> got = new ArrayList<>();
            Thread waiting = new Thread(() -> {
                try {
                    while (got.size() < wanted) {
                        got.add(record(follower.next()));
                    }
                    followed.complete(got);
                } catch (Exception e) {
                    followed.completeExceptionally(e);
                }
            });
            waiting.start();
            act.run();
            waiting.join();
            lines.addAll(got);
            return "ok count=" + followed.get().size();
        }
    }

    private String changing(Line line) throws Exception {
        Log log = log(line);
        switch (line.name) {
            case "trim":
                return "ok first=" + orDash(log.trim(line.number("before")));
            case "truncate":
                log.truncate(line.number("after"));
                return "ok";
            case "reset":
                log.resetTo(line.number("next"));
                return "ok";
            case "value_set":
                log.values().set(line.bytes("key"), line.bytes("value"));
                return "ok";
            case "value_get":
                return "ok " + log.values().get(line.bytes("key")).map(v -> "value=" + Literal.print(v)).orElse("none");
            case "value_delete":
                return "ok existed=" + yes(log.values().delete(line.bytes("key")));
            case "value_update":
                List<byte[]> keys = line.manyBytes("keys");
                List<String> values = line.items("values");
                List<Map.Entry<byte[], byte[]>> changes = new ArrayList<>();
                for (int i = 0; i < keys.size(); i++) {
                    byte[] value = values.get(i).equals("none") ? null : Literal.read(values.get(i));
                    changes.add(new SimpleEntry<>(keys.get(i), value));
                }
                log.values().update(changes);
                return "ok";
            case "value_list":
                log.values().list().forEach(entry -> lines.add(
                        "value key=" + Literal.print(entry.getKey()) + " value=" + Literal.print(entry.getValue())));
                return "ok count=" + lines.size();
            default:
                return null;
        }
    }

    private String looking(Line line) throws Exception {
        switch (line.name) {
            case "stats":
                Stats stats = log(line).stats();
                return "ok level=" + stats.level().name().toLowerCase(Locale.ROOT) + " poisoned="
                        + yes(stats.poisoned().isPresent()) + " first=" + orDash(stats.firstLsn()) + " last="
                        + orDash(stats.lastLsn()) + " next=" + stats.nextLsn() + " records=" + stats.counters().records()
                        + " record_bytes=" + stats.counters().recordBytes() + " rotations="
                        + stats.counters().rotations() + " trimmed=" + stats.counters().trimmed() + " segments="
                        + stats.segments().size();
            case "segments":
                for (SegmentStats segment : log(line).stats().segments()) {
                    lines.add("segment id=" + segment.id() + " first=" + segment.firstLsn() + " last="
                            + orDash(segment.lastLsn()) + " sealed=" + yes(segment.isSealed()));
                }
                return "ok count=" + lines.size();
            case "poisoned":
                return "ok poisoned=" + yes(log(line).stats().poisoned().isPresent());
            case "copy_to":
                CopyReport copied = log(line).copyTo(directory(line));
                return "ok records=" + copied.records() + " first=" + orDash(copied.firstLsn()) + " last="
                        + orDash(copied.lastLsn());
            case "info":
                LogInfo info = Logs.info(directory(line));
                return "ok clean=" + yes(info.isClean()) + " writer=" + yes(info.isWriterAlive()) + " epoch="
                        + info.epoch() + " first=" + orDash(info.firstLsn()) + " last=" + orDash(info.lastLsn())
                        + " next=" + info.nextLsn() + " segments=" + info.segments().size() + " values="
                        + info.values() + " case=" + info.recovery().caseLabel();
            case "verify":
                return verify(Logs.verify(directory(line)));
            case "repair":
                RepairReport repaired = line.yes("dry_run", false)
                        ? Logs.planRepair(directory(line))
                        : Logs.repair(directory(line));
                repaired.lost().forEach(lost -> lines.add("lost first=" + lost.first() + " last=" + lost.last()));
                return "ok changed=" + yes(repaired.isChanged()) + " actions=" + yes(!repaired.actions().isEmpty())
                        + " backup=" + yes(repaired.backup().isPresent());
            default:
                return null;
        }
    }

    private String verify(VerifyReport report) {
        for (Finding finding : report.findings()) {
            WalException error = finding.error();
            String lsns = error instanceof io.libwal.WalCorruptException
                    ? ((io.libwal.WalCorruptException) error).lsns()
                            .map(range -> "first=" + range.first() + " last=" + range.last()).orElse("first=- last=-")
                    : "first=- last=-";
            lines.add("finding kind=" + error.kind().name().toLowerCase(Locale.ROOT) + " segment="
                    + orDash(error.segment()) + " offset=" + error.offset().orElse(0) + " " + lsns + " at_stake="
                    + yes(finding.recordsAtStake()));
        }
        return "ok findings=" + report.findings().size() + " segments=" + report.segments() + " records="
                + report.records() + " first=" + orDash(report.firstLsn()) + " last=" + orDash(report.lastLsn())
                + " torn=" + yes(report.tornTail().isPresent());
    }

    private static String step(Record record) {
        return record == null ? "ok end" : "ok " + words(record);
    }

    private static String record(Record record) {
        return "record " + words(record);
    }

    private static String words(Record record) {
        return "lsn=" + record.lsn() + " more=" + yes(record.batchContinues()) + " bytes=" + Literal.print(record.bytes());
    }

    private static String range(LsnRange lsns) {
        return "ok first=" + lsns.first() + " last=" + lsns.last();
    }

    private static String orDash(OptionalLong lsn) {
        return lsn.isPresent() ? Long.toString(lsn.getAsLong()) : "-";
    }

    private static int yes(boolean yes) {
        return yes ? 1 : 0;
    }

    private static long nanos(Instant time) {
        return time.getEpochSecond() * 1_000_000_000L + time.getNano();
    }

    private static Instant time(long nanos) {
        return Instant.ofEpochSecond(nanos / 1_000_000_000L, nanos % 1_000_000_000L);
    }
}
