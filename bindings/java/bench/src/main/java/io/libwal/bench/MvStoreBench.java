package io.libwal.bench;

import java.util.concurrent.TimeUnit;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** H2's MVStore, the way a queue is built on it: a map from numbers to records; a record survives power loss after a sync. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class MvStoreBench {
    private final byte[] record = new byte[LibwalBench.RECORD_BYTES];
    private Scratch scratch;
    private MVStore store;
    private MVMap<Long, byte[]> map;
    private long next;

    @Setup
    public void open() throws Exception {
        scratch = new Scratch();
        store = new MVStore.Builder().fileName(scratch.path.resolve("store").toString()).autoCommitDisabled().open();
        map = store.openMap("log");
    }

    @TearDown
    public void close() throws Exception {
        store.close();
        scratch.remove();
    }

    @Benchmark
    public void appendDisk() {
        map.put(next++, record);
        store.commit();
        store.sync();
    }

    @Benchmark
    @OperationsPerInvocation(LibwalBench.BATCH)
    public void appendBatchDisk() {
        for (int i = 0; i < LibwalBench.BATCH; i++) {
            map.put(next++, record);
        }
        store.commit();
        store.sync();
    }
}
