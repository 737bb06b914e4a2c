import static java.nio.charset.StandardCharsets.UTF_8;

import io.libwal.Log;
import io.libwal.LsnRange;
import io.libwal.Position;
import io.libwal.Record;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * An outbox beside a database: messages about orders reach the broker if, and only if, the order's transaction was
 * committed, whatever crashes when.
 *
 * <p>The messages of a transaction are appended to the log before it commits, as one batch that begins with the order's
 * number. The relay reads the log and asks the database whether the order is there: if so it sends, if not the transaction
 * was rolled back and the messages are dropped. What it has sent it keeps among the log's values, so that after a crash it
 * sends at most the last batch again.
 *
 * <p>Here one thread does both. A relay on a thread of its own must not pass a transaction that is still open: it stops at
 * the first batch whose order is neither stored nor known to have been rolled back.
 */
public class Outbox {
    private static final byte[] SENT = "sent".getBytes(UTF_8);

    private final Connection database;
    private final Log log;

    private Outbox(Connection database, Log log) {
        this.database = database;
        this.log = log;
    }

    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments.length > 0 ? arguments[0] : "outbox").toAbsolutePath();
        try (Connection database = DriverManager.getConnection("jdbc:h2:" + path.resolve("shop"));
                Log log = Log.open(path.resolve("outbox.wal"))) {
            try (Statement statement = database.createStatement()) {
                statement.execute("create table if not exists orders (id bigint primary key, what varchar)");
            }
            Outbox outbox = new Outbox(database, log);
            long id = outbox.orders() + 1;
            outbox.order(id, "a bicycle", false);
            outbox.order(id + 1, "a boat that nobody can pay", true);
            System.out.println("sent " + outbox.relay() + " messages, " + outbox.orders() + " orders are in the database");
        }
    }

    /** Stores an order; its messages are durable before the transaction is. */
    private void order(long id, String what, boolean fails) throws Exception {
        database.setAutoCommit(false);
        try (PreparedStatement insert = database.prepareStatement("insert into orders values (?, ?)")) {
            insert.setLong(1, id);
            insert.setString(2, what);
            insert.executeUpdate();
            LsnRange messages = log.appendBatch(List.of(
                    ByteBuffer.allocate(8).putLong(id).array(),
                    ("order " + id + ": " + what).getBytes(UTF_8),
                    ("bill for order " + id).getBytes(UTF_8)));
            if (fails) {
                throw new SQLException("the card was refused; records " + messages + " stay unsent");
            }
            database.commit();
        } catch (SQLException e) {
            database.rollback();
            System.out.println("order " + id + " was rolled back: " + e.getMessage());
        } finally {
            database.setAutoCommit(true);
        }
    }

    /** Sends what was committed and not sent yet; returns how many messages. */
    private int relay() throws Exception {
        long next = log.values().get(SENT).map(sent -> ByteBuffer.wrap(sent).getLong() + 1).orElse(1L);
        int[] sent = {0};
        boolean[] isCommitted = {false};
        boolean[] isBegin = {true};
        log.replay(Position.at(next), record -> {
            if (isBegin[0]) {
                isCommitted[0] = isStored(record.buffer().getLong());
            } else if (isCommitted[0]) {
                send(record);
                sent[0]++;
            }
            isBegin[0] = !record.batchContinues();
            if (isBegin[0]) {
                log.values().set(SENT, ByteBuffer.allocate(8).putLong(record.lsn()).array());
            }
            return true;
        });
        // Whole segments of what was sent go.
        log.trim(log.nextLsn());
        return sent[0];
    }

    private void send(Record message) {
        System.out.println("to the broker: " + new String(message.bytes(), UTF_8));
    }

    private boolean isStored(long id) throws SQLException {
        try (PreparedStatement select = database.prepareStatement("select 1 from orders where id = ?")) {
            select.setLong(1, id);
            try (ResultSet found = select.executeQuery()) {
                return found.next();
            }
        }
    }

    private long orders() throws SQLException {
        try (Statement statement = database.createStatement();
                ResultSet count = statement.executeQuery("select count(*) from orders")) {
            count.next();
            return count.getLong(1);
        }
    }
}
