package consumer;

import io.libwal.Log;
import io.libwal.WalException;
import java.nio.file.Path;

/** Appends a record and reads it back. */
public final class Consumer {
    private Consumer() {}

    /**
     * Appends a record and reads it back.
     *
     * @param arguments where the log is
     * @throws Exception when anything goes wrong
     */
    public static void main(String[] arguments) throws Exception {
        try (Log log = Log.open(Path.of(arguments[0]))) {
            long lsn = log.appendAsync(new byte[] {1, 2, 3}).get();
            if (log.read(lsn).length() != 3) {
                throw new AssertionError("the record is not what was appended");
            }
            try {
                log.read(lsn + 1);
            } catch (WalException e) {
                System.out.println(Log.class.getModule() + ": record " + lsn + "; " + e.getMessage());
            }
        }
    }
}
