package io.libwal.conformance;

import io.libwal.Cursor;
import io.libwal.Log;
import io.libwal.Options;
import io.libwal.Position;
import io.libwal.Record;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32;

/** Appends records that any reader can check until it is killed, and checks them. */
final class Killed {
    private Killed() {}

    static void write(Path directory, long count, long seed, PrintStream out) throws Exception {
        try (Log log = Log.open(directory, Options.builder().segmentBytes(65536).build())) {
            tell(out, "open " + log.lastLsn().orElse(0));
            long from = log.nextLsn();
            long next = from;
            Literal.Numbers calls = new Literal.Numbers(seed);
            while (count == 0 || next - from < count) {
                int draw = calls.draw();
                int many = draw >>> 8;
                switch (draw & 3) {
                    case 0:
                    case 1:
                        acknowledged(log.append(Literal.record(next)), next++, out);
                        break;
                    case 2:
                        List<byte[]> batch = records(next, 2 + many % 7);
                        next += batch.size();
                        acknowledged(log.appendBatch(batch).last(), next - 1, out);
                        break;
                    default:
                        List<CompletableFuture<Long>> futures = new ArrayList<>();
                        for (byte[] record : records(next, 1 + many % 16)) {
                            futures.add(log.appendAsync(record));
                        }
                        for (CompletableFuture<Long> future : futures) {
                            acknowledged(future.get(), next++, out);
                        }
                }
            }
            log.close();
            tell(out, "done " + (next - 1));
        }
    }

    private static List<byte[]> records(long next, int count) {
        List<byte[]> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            records.add(Literal.record(next + i));
        }
        return records;
    }

    private static void acknowledged(long lsn, long expected, PrintStream out) {
        if (lsn != expected) {
            throw new IllegalStateException("record " + expected + " got the LSN " + lsn);
        }
        tell(out, "ack " + lsn);
    }

    private static void tell(PrintStream out, String line) {
        out.println(line);
        out.flush();
    }

    static void read(Path directory, PrintStream out) throws Exception {
        long first = 0;
        long last = 0;
        boolean isBatchOpen = false;
        CRC32 crc = new CRC32();
        try (Log log = Log.open(directory)) {
            try (Cursor cursor = log.cursor(Position.first())) {
                for (Record record : cursor) {
                    long lsn = record.lsn();
                    if (!Arrays.equals(record.bytes(), Literal.record(lsn)) || last != 0 && lsn != last + 1) {
                        throw new IllegalStateException("record " + lsn + " is not what was appended");
                    }
                    first = first == 0 ? lsn : first;
                    last = lsn;
                    isBatchOpen = record.batchContinues();
                    crc.update(record.bytes());
                }
            }
        }
        if (isBatchOpen) {
            throw new IllegalStateException("the log ends inside a batch, at " + last);
        }
        String lsns = last == 0 ? "- -" : first + " " + last;
        out.println("records " + lsns + " " + String.format("%08x", crc.getValue()));
    }
}
