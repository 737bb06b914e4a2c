package io.libwal;

import java.util.OptionalLong;

/**
 * An argument or option is wrong: correct the call; nothing was changed.
 *
 * @since 0.1.0
 */
public final class WalInvalidException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** The LSN the message speaks of, -1 for none. */
    private final long lsn;

    WalInvalidException(ErrorDetails details) {
        super(details.message);
        this.lsn = details.lsn;
    }

    /**
     * What the caller can do.
     *
     * @return {@link ErrorKind#INVALID}
     */
    public ErrorKind kind() {
        return ErrorKind.INVALID;
    }

    /**
     * The LSN at the limit that was passed, such as the last record of a log that was to be truncated behind it.
     *
     * @return the LSN, if the error has one
     */
    public OptionalLong lsn() {
        return lsn < 0 ? OptionalLong.empty() : OptionalLong.of(lsn);
    }
}
