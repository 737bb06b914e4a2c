package io.libwal.bench;

import io.libwal.Cursor;
import io.libwal.Level;
import io.libwal.Log;
import io.libwal.Options;
import io.libwal.PackedRecords;
import io.libwal.Position;
import io.libwal.Record;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** What the same work costs in Java: {@code wal-bench languages} asks (see bench/README.md). */
public final class Measure extends Asked {
    private static final List<byte[]> RECORDS = Collections.nCopies(BATCH, RECORD);
    private static final Map<String, Level> LEVELS =
            Map.of("os", Level.OS, "durable", Level.DISK, "durable-batch", Level.DISK, "async", Level.DISK);

    private final PackedRecords packed = PackedRecords.allocate(256 * 1024);

    private interface Call {
        void on(Log log) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        new Measure().serve();
    }

    @Override
    long measured(String workload, Path directory) throws Exception {
        Options options = Options.builder().level(LEVELS.getOrDefault(workload, Level.BUFFERED)).build();
        try (Log log = Log.open(directory, options)) {
            switch (workload) {
                case "append":
                    return bursts(log, BURST, each -> each.append(RECORD));
                case "batch":
                    return bursts(log, BURST / BATCH, each -> each.appendBatch(RECORDS));
                case "packed":
                    return bursts(log, BURST / BATCH, this::appendPacked);
                case "read":
                    return reads(log, this::read);
                case "read-packed":
                    return reads(log, this::readPacked);
                case "os":
                    return timed(OS, 1, () -> log.append(RECORD));
                case "durable":
                    return timed(DURABLE, 1, () -> log.append(RECORD));
                case "durable-batch":
                    return timed(DURABLE_BATCHES, BATCH, () -> log.appendBatch(RECORDS));
                case "async":
                    return timed(1, ASYNC, () -> inFlight(log));
                default:
                    return 0;
            }
        }
    }

    /** Bursts that fit into memory: what the disk does in between is not counted. */
    private long bursts(Log log, int calls, Call call) throws Exception {
        for (int burst = 0; burst < BURSTS; burst++) {
            start();
            for (int n = 0; n < calls; n++) {
                call.on(log);
            }
            stop();
            log.sync();
        }
        return (long) BURSTS * BURST;
    }

    /** Packing is a part of it: a program that has arrays packs them itself. */
    private void appendPacked(Log log) throws Exception {
        packed.clear();
        for (int n = 0; n < BATCH; n++) {
            packed.add(RECORD);
        }
        log.appendBatch(packed);
    }

    private long reads(Log log, Call pass) throws Exception {
        for (int n = 0; n < READ / BATCH; n++) {
            log.appendBatch(RECORDS);
        }
        log.sync();
        return timed(PASSES, READ, () -> pass.on(log));
    }

    private void read(Log log) throws Exception {
        long bytes = 0;
        try (Cursor cursor = log.cursor(Position.first())) {
            for (Record record : cursor) {
                bytes += record.bytes().length;
            }
        }
        expect(bytes / RECORD.length);
    }

    private void readPacked(Log log) throws Exception {
        long bytes = 0;
        try (Cursor cursor = log.cursor(Position.first())) {
            for (int count = cursor.read(packed); count > 0; count = cursor.read(packed)) {
                for (int n = 0; n < count; n++) {
                    bytes += packed.slice(n).remaining();
                }
            }
        }
        expect(bytes / RECORD.length);
    }

    private static void inFlight(Log log) {
        ArrayDeque<CompletableFuture<Long>> futures = new ArrayDeque<>(IN_FLIGHT);
        for (int n = 0; n < ASYNC; n++) {
            if (futures.size() == IN_FLIGHT) {
                futures.remove().join();
            }
            futures.add(log.appendAsync(RECORD));
        }
        futures.forEach(CompletableFuture::join);
    }
}
