package io.libwal.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * H2's MVStore, asked for the same work as {@link Measure}, the way a queue is built on it: a map from numbers to
 * records. What was committed survives the death of the process, and power loss after a sync.
 */
public final class MvStore extends Asked {
    private long next;

    public static void main(String[] args) throws Exception {
        new MvStore().serve();
    }

    @Override
    long measured(String workload, Path directory) throws Exception {
        Files.createDirectory(directory);
        String file = directory.resolve("store").toString();
        try (MVStore store = new MVStore.Builder().fileName(file).autoCommitDisabled().open()) {
            MVMap<Long, byte[]> map = store.openMap("log");
            switch (workload) {
                case "os":
                    return timed(OS, 1, () -> commit(store, map, 1));
                case "durable":
                    return timed(DURABLE, 1, () -> sync(store, map, 1));
                case "durable-batch":
                    return timed(DURABLE_BATCHES, BATCH, () -> sync(store, map, BATCH));
                case "read":
                    for (int n = 0; n < READ / BATCH; n++) {
                        commit(store, map, BATCH);
                    }
                    return timed(PASSES, READ, () -> read(map));
                default:
                    return 0;
            }
        }
    }

    private void commit(MVStore store, MVMap<Long, byte[]> map, int records) {
        for (int n = 0; n < records; n++) {
            // Its own copy: a map that holds one array many times is not what a program has.
            map.put(next++, RECORD.clone());
        }
        store.commit();
    }

    private void sync(MVStore store, MVMap<Long, byte[]> map, int records) {
        commit(store, map, records);
        store.sync();
    }

    private static void read(MVMap<Long, byte[]> map) {
        long bytes = 0;
        for (Iterator<Long> keys = map.keyIterator(null); keys.hasNext(); ) {
            bytes += map.get(keys.next()).length;
        }
        expect(bytes / RECORD.length);
    }
}
