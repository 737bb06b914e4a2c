package io.libwal;

/**
 * What a caller can do about an error; the names and numbers are the same in every language of libwal.
 *
 * @since 0.1.0
 */
public enum ErrorKind {
    /** Correct the argument or the option; nothing was changed. Thrown as {@link WalInvalidException}, an
     * {@link IllegalArgumentException}. */
    INVALID(-1),
    /** There is no such log, record or key: create it, or go on without it. */
    NOT_FOUND(-2),
    /** Go on from the error's LSN, the first record still there. */
    TRIMMED(-3),
    /** Go back to the error's LSN, the last record still there. */
    TRUNCATED(-4),
    /** Read up to the error's LSN, the next one of the log, and decide again; nothing was appended. */
    CONFLICT(-5),
    /** Open the log again. Thrown as {@link WalClosedException}. */
    CLOSED(-6),
    /** Stop the other writer, or wait for it with the option {@code lockWait}. */
    LOCKED(-7),
    /** Free space and try again; the records were surely not written. */
    FULL(-8),
    /** Wait again: what was waited for goes on. */
    TIMEOUT(-9),
    /** Try again later, or allow the call to wait. */
    WOULD_BLOCK(-10),
    /** Reopen the log: an earlier write or sync failed, and reopening finds out what is on disk. */
    POISONED(-11),
    /** Look at the system's error number; after a failed append, reopen the log to find out. */
    IO(-12),
    /** Verify the log, then restore it from a copy or salvage it with a repair. */
    CORRUPT(-13),
    /** Upgrade: the file belongs to a newer version or uses a feature this one does not know. */
    UNSUPPORTED(-14),
    /** Open the log in this process; the handle belongs to the parent. */
    FORKED(-15),
    /** Report it: this is a bug in libwal. */
    INTERNAL(-16);

    private final int code;

    ErrorKind(int code) {
        this.code = code;
    }

    /**
     * The number of the kind in every language.
     *
     * @return a negative number
     */
    public int code() {
        return code;
    }
}
