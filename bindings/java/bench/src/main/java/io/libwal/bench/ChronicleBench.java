package io.libwal.bench;

import java.util.concurrent.TimeUnit;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Chronicle Queue. What it writes lies in a mapping of its file: it survives the death of the process and not power loss,
 * which is libwal's level OS. It has no call that makes one message survive power loss.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class ChronicleBench {
    private static final int READ = 10_000;

    private final Bytes<?> record = Bytes.allocateElasticDirect();
    private final Bytes<?> read = Bytes.allocateElasticDirect();
    private Scratch scratch;
    private ChronicleQueue queue;
    private ExcerptAppender appender;
    private ExcerptTailer tailer;

    @Setup
    public void open() throws Exception {
        scratch = new Scratch();
        queue = SingleChronicleQueueBuilder.binary(scratch.path.resolve("queue")).syncMode(SyncMode.NONE).build();
        appender = queue.createAppender();
        record.write(new byte[LibwalBench.RECORD_BYTES]);
        for (int i = 0; i < READ; i++) {
            appendOs();
        }
        tailer = queue.createTailer();
    }

    @TearDown
    public void close() throws Exception {
        queue.close();
        scratch.remove();
    }

    @Benchmark
    public void appendOs() {
        record.readPosition(0);
        appender.writeBytes(record);
    }

    @Benchmark
    @OperationsPerInvocation(READ)
    public void read(Blackhole hole) {
        tailer.toStart();
        for (int i = 0; i < READ; i++) {
            read.clear();
            hole.consume(tailer.readBytes(read));
        }
    }
}
