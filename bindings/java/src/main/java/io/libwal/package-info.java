/**
 * An embeddable, crash-safe write-ahead log.
 *
 * <p>A log is a directory with one append-only sequence of records. {@link io.libwal.Log#append(byte[])} returns when
 * the record is on stable storage (or earlier, by the {@link io.libwal.Level} chosen), many threads share one sync, and
 * after a crash {@link io.libwal.Log#open} gives back exactly a prefix of what was appended that holds everything
 * acknowledged.
 *
 * <pre>{@code
 * try (Log log = Log.open(Path.of("orders"), Options.defaults())) {
 *     long lsn = log.append("order 1".getBytes(UTF_8));
 *     try (Cursor cursor = log.cursor(Position.first())) {
 *         for (Record record : cursor) {
 *             System.out.println(record.lsn() + ": " + record.length() + " bytes");
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>Nothing is ever printed; events go to the {@link System.Logger} {@code io.libwal}: openings and closings at level
 * {@code DEBUG}, what an operator should look at as {@code WARNING}, failures nobody was there to be told of as
 * {@code ERROR}. No argument may be null unless
 * its description says so: a {@link NullPointerException} tells of one, and nothing was done. Whatever was closed
 * answers with a {@link io.libwal.WalClosedException}, never with a crash.
 *
 * @since 0.1.0
 */
package io.libwal;
