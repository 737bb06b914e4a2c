import static java.nio.charset.StandardCharsets.UTF_8;

import io.libwal.Follower;
import io.libwal.Log;
import io.libwal.Position;
import io.libwal.Record;
import io.libwal.WalClosedException;
import java.nio.file.Path;

/** Follows a log while another thread appends to it, and ends when the log is closed. */
public class Follow {
    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments.length > 0 ? arguments[0] : "events.wal");
        Thread reader;
        try (Log log = Log.open(path)) {
            Follower follower = log.follow(Position.end());
            reader = new Thread(() -> follow(follower));
            reader.start();
            for (int number = 1; number <= 5; number++) {
                log.append(("event " + number).getBytes(UTF_8));
            }
        }
        reader.join();
    }

    private static void follow(Follower follower) {
        try (follower) {
            while (true) {
                // Ends with the log, with close() on another thread, and with Thread.interrupt().
                Record record = follower.next();
                System.out.println("record " + record.lsn() + ": " + new String(record.bytes(), UTF_8));
            }
        } catch (WalClosedException e) {
            System.out.println("the log was closed, and every record of it was seen");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
