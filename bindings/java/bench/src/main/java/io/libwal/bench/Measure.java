package io.libwal.bench;

import io.libwal.Cursor;
import io.libwal.Level;
import io.libwal.Log;
import io.libwal.Options;
import io.libwal.PackedRecords;
import io.libwal.Position;
import io.libwal.Record;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What the same work costs in Java: {@code wal-bench languages} asks (see bench/README.md).
 *
 * <p>Reads lines {@code WORKLOAD DIRECTORY}, answers with {@code RECORDS NANOSECONDS} or {@code none}.
 */
public final class Measure {
    private static final byte[] RECORD = new byte[100];
    private static final int BATCH = 1000;
    private static final List<byte[]> RECORDS = Collections.nCopies(BATCH, RECORD);
    private static final int BURST = 20_000;
    private static final int BURSTS = 20;
    private static final int READ = 100_000;
    private static final int PASSES = 3;
    private static final int DURABLE = 300;
    private static final int ASYNC = 40_000;
    private static final int IN_FLIGHT = 256;

    private final PackedRecords packed = PackedRecords.allocate(256 * 1024);
    private long started;
    private long taken;

    private interface Call {
        void on(Log log) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        Measure measure = new Measure();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] asked = line.split(" ", 2);
            long records = measure.measured(asked[0], Path.of(asked[1]));
            System.out.println(records == 0 ? "none" : records + " " + measure.taken);
        }
    }

    /** How many records; 0 for a workload that is not known. */
    private long measured(String workload, Path directory) throws Exception {
        taken = 0;
        Level level = workload.equals("durable") || workload.equals("async") ? Level.DISK : Level.BUFFERED;
        try (Log log = Log.open(directory, Options.builder().level(level).build())) {
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
                case "durable":
                    start();
                    for (int n = 0; n < DURABLE; n++) {
                        log.append(RECORD);
                    }
                    stop();
                    return DURABLE;
                case "async":
                    start();
                    inFlight(log);
                    stop();
                    return ASYNC;
                default:
                    return 0;
            }
        }
    }

    private void start() {
        started = System.nanoTime();
    }

    private void stop() {
        taken += System.nanoTime() - started;
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
        start();
        for (int n = 0; n < PASSES; n++) {
            pass.on(log);
        }
        stop();
        return (long) PASSES * READ;
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

    private static void expect(long found) {
        if (found != READ) {
            throw new IllegalStateException(found + " of " + READ + " records were read");
        }
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
