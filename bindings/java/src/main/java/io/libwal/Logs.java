package io.libwal;

import java.nio.file.Path;

/**
 * What is done to a log that nobody has open: looking, verifying, repairing, removing.
 *
 * @since 0.1.0
 */
public final class Logs {
    private Logs() {}

    /**
     * Tells what a log is: identity, extent, segments, and what an opening would decide. Reads headers, the state and the
     * newest segment, beside a live writer too; changes nothing.
     *
     * @param path the log's directory
     * @return what it is
     * @throws WalException {@link WalNotFoundException} when there is no log, {@link WalCorruptException} where an opening
     *     would refuse it, {@link WalUnsupportedException}, {@link WalIoException}
     * @throws IllegalArgumentException for a path that is no directory
     */
    public static LogInfo info(Path path) throws WalException {
        return new LogInfo(new Fields(Native.info(NativePath.of(path))));
    }

    /**
     * Reads every byte of a log and holds it against its checksums. Goes on behind what is wrong, beside a live writer too;
     * changes nothing. Damage is no error but a finding.
     *
     * @param path the log's directory
     * @return what was found
     * @throws WalException {@link WalNotFoundException} when there is no log, {@link WalUnsupportedException},
     *     {@link WalIoException}
     * @throws IllegalArgumentException for a path that is no directory
     */
    public static VerifyReport verify(Path path) throws WalException {
        return new VerifyReport(new Fields(Native.verify(NativePath.of(path), null)));
    }

    /**
     * The same, telling how far it is.
     *
     * @param path the log's directory
     * @param progress hears of it, often and on this thread; what it throws is thrown in the end
     * @return what was found
     * @throws WalException as {@link #verify(Path)}
     */
    public static VerifyReport verify(Path path, Progress progress) throws WalException {
        byte[] bytes = NativePath.of(path);
        return new VerifyReport(new Fields(Native.verify(bytes, java.util.Objects.requireNonNull(progress, "progress"))));
    }

    /**
     * Makes a log one that opens and verifies, and says exactly what is lost. Before anything is changed, copies of the
     * files concerned are made in a directory beside the log. When this returns, the repaired log and the copies survive
     * power loss.
     *
     * @param path the log's directory
     * @return what was done
     * @throws WalException {@link WalLockedException} when a writer has the log, {@link WalNotFoundException},
     *     {@link WalUnsupportedException}, {@link WalCorruptException} when nothing is left that says what log this was,
     *     {@link WalFullException}, {@link WalIoException}
     */
    public static RepairReport repair(Path path) throws WalException {
        return new RepairReport(new Fields(Native.repair(NativePath.of(path), false)));
    }

    /**
     * Says what {@link #repair} would do; changes nothing.
     *
     * @param path the log's directory
     * @return what would be done
     * @throws WalException as {@link #repair}
     */
    public static RepairReport planRepair(Path path) throws WalException {
        return new RepairReport(new Fields(Native.repair(NativePath.of(path), true)));
    }

    /**
     * Removes a log and, when nothing else is in it, its directory. A crash leaves the log, none, or one that opening
     * refuses and removing once more finishes.
     *
     * @param path the log's directory
     * @throws WalException {@link WalLockedException} when a writer has the log, {@link WalNotFoundException},
     *     {@link WalIoException}
     */
    public static void destroy(Path path) throws WalException {
        Native.destroy(NativePath.of(path));
    }
}
