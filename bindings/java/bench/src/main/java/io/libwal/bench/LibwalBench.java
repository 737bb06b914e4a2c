package io.libwal.bench;

import io.libwal.Cursor;
import io.libwal.Level;
import io.libwal.Log;
import io.libwal.Options;
import io.libwal.PackedRecords;
import io.libwal.Position;
import io.libwal.Record;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** Records of 100 bytes, in records a second. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class LibwalBench {
    static final int RECORD_BYTES = 100;
    static final int BATCH = 100;
    private static final int IN_FLIGHT = 256;
    private static final int READ = 10_000;

    /** What an acknowledgement promises. */
    @Param({"DISK", "OS", "BUFFERED"})
    public Level level;

    private final byte[] record = new byte[RECORD_BYTES];
    private final ByteBuffer direct = ByteBuffer.allocateDirect(RECORD_BYTES);
    private final List<byte[]> batch = Collections.nCopies(BATCH, record);
    private final PackedRecords packed = PackedRecords.allocate(64 * 1024);
    private final PackedRecords read = PackedRecords.allocate(256 * 1024);
    private Scratch scratch;
    private Log log;
    private Cursor cursor;

    @Setup
    public void open() throws Exception {
        scratch = new Scratch();
        log = Log.open(scratch.path.resolve("log"), Options.builder().level(level).retentionBytes(512 << 20).build());
        for (int i = 0; i < BATCH; i++) {
            packed.add(record);
        }
        for (int i = 0; i < READ / BATCH; i++) {
            log.appendBatch(packed);
        }
        cursor = log.cursor(Position.first());
    }

    @TearDown
    public void close() throws Exception {
        cursor.close();
        log.close();
        scratch.remove();
    }

    @Benchmark
    public long append() throws Exception {
        return log.append(record);
    }

    @Benchmark
    public long appendDirect() throws Exception {
        direct.clear();
        return log.append(direct);
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public Object appendBatchOfArrays() throws Exception {
        return log.appendBatch(batch);
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public Object appendBatchPacked() throws Exception {
        packed.clear();
        for (int i = 0; i < BATCH; i++) {
            packed.add(record);
        }
        return log.appendBatch(packed);
    }

    @Benchmark
    @OperationsPerInvocation(IN_FLIGHT)
    public void appendAsync256() {
        List<CompletableFuture<Long>> futures = new ArrayList<>(IN_FLIGHT);
        for (int i = 0; i < IN_FLIGHT; i++) {
            futures.add(log.appendAsync(record));
        }
        futures.forEach(CompletableFuture::join);
    }

    @Benchmark
    @OperationsPerInvocation(READ)
    public void readSlices(Blackhole hole) throws Exception {
        cursor.seek(Position.first());
        int left = READ;
        while (left > 0) {
            int count = cursor.read(read, left);
            for (int i = 0; i < count; i++) {
                hole.consume(read.slice(i));
            }
            left -= count;
        }
    }

    @Benchmark
    @OperationsPerInvocation(READ)
    public void iterate(Blackhole hole) throws Exception {
        cursor.seek(Position.first());
        int left = READ;
        for (Record found : cursor) {
            hole.consume(found);
            if (--left == 0) {
                break;
            }
        }
    }
}
