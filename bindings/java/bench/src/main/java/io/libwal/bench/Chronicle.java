package io.libwal.bench;

import java.nio.file.Path;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;

/**
 * Chronicle Queue, asked for the same work as {@link Measure}. What it writes lies in a mapping of its file: it
 * survives the death of the process and not power loss, which is libwal's level OS. It has no call that makes one
 * message survive power loss.
 */
public final class Chronicle extends Asked {
    private final Bytes<?> record = Bytes.allocateElasticDirect();
    private final Bytes<?> found = Bytes.allocateElasticDirect();

    public static void main(String[] args) throws Exception {
        new Chronicle().serve();
    }

    private Chronicle() {
        record.write(RECORD);
    }

    @Override
    long measured(String workload, Path directory) throws Exception {
        if (!workload.equals("os") && !workload.equals("read")) {
            return 0;
        }
        try (ChronicleQueue queue =
                SingleChronicleQueueBuilder.binary(directory).syncMode(SyncMode.NONE).build();
                ExcerptAppender appender = queue.createAppender()) {
            if (workload.equals("os")) {
                return timed(OS, 1, () -> append(appender));
            }
            for (int n = 0; n < READ; n++) {
                append(appender);
            }
            try (ExcerptTailer tailer = queue.createTailer()) {
                return timed(PASSES, READ, () -> read(tailer));
            }
        }
    }

    private void append(ExcerptAppender appender) {
        record.readPosition(0);
        appender.writeBytes(record);
    }

    private void read(ExcerptTailer tailer) {
        tailer.toStart();
        long bytes = 0;
        while (true) {
            found.clear();
            if (!tailer.readBytes(found)) {
                break;
            }
            bytes += found.readRemaining();
        }
        expect(bytes / RECORD.length);
    }
}
