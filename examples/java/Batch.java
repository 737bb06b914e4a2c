import static java.nio.charset.StandardCharsets.UTF_8;

import io.libwal.Cursor;
import io.libwal.Log;
import io.libwal.LsnRange;
import io.libwal.PackedRecords;
import io.libwal.Position;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Appends and reads many records by one call each, and many at once without waiting. */
public class Batch {
    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments.length > 0 ? arguments[0] : "transfers.wal");
        try (Log log = Log.open(path)) {
            // After a crash both are there or neither.
            LsnRange transfer = log.appendBatch(List.of("debit 10 from a".getBytes(UTF_8), "credit 10 to b".getBytes(UTF_8)));
            System.out.println("the transfer is records " + transfer);

            // A thousand appends share a few syncs; no thread waits for any of them.
            List<CompletableFuture<Long>> appends = new ArrayList<>();
            for (int number = 0; number < 1000; number++) {
                appends.add(log.appendAsync(("event " + number).getBytes(UTF_8)));
            }
            CompletableFuture.allOf(appends.toArray(new CompletableFuture<?>[0])).join();
            System.out.println("durable up to " + log.durableLsn().getAsLong());

            // Memory that is used again and again: no object for each record.
            PackedRecords records = PackedRecords.allocate(64 * 1024);
            long bytes = 0;
            try (Cursor cursor = log.cursor(Position.at(transfer.first()))) {
                while (cursor.read(records) > 0) {
                    for (int i = 0; i < records.count(); i++) {
                        bytes += records.slice(i).remaining();
                    }
                }
            }
            System.out.println(log.nextLsn() - transfer.first() + " records, " + bytes + " bytes");
        }
    }
}
