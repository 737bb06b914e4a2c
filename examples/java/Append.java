import static java.nio.charset.StandardCharsets.UTF_8;

import io.libwal.Cursor;
import io.libwal.Log;
import io.libwal.Position;
import io.libwal.Record;
import java.nio.file.Path;

/** Appends records that survive power loss, one by one, and reads them back. */
public class Append {
    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments.length > 0 ? arguments[0] : "orders.wal");
        try (Log log = Log.open(path)) {
            System.out.println("opened " + path + ": " + log.recovery().caseLabel());

            for (int number = 1; number <= 3; number++) {
                // When this returns, the record survives power loss: that is the default.
                long lsn = log.append(("order " + number).getBytes(UTF_8));
                System.out.println("order " + number + " is record " + lsn);
            }

            try (Cursor cursor = log.cursor(Position.first())) {
                for (Record record : cursor) {
                    System.out.println(record.lsn() + ": " + new String(record.bytes(), UTF_8));
                }
            }
        }
    }
}
