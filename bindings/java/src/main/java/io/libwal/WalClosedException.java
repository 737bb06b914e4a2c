package io.libwal;

/**
 * The log, cursor or follower was closed: open it again.
 *
 * @since 0.1.0
 */
public final class WalClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    WalClosedException(String message) {
        super(message);
    }

    /**
     * What the caller can do.
     *
     * @return {@link ErrorKind#CLOSED}
     */
    public ErrorKind kind() {
        return ErrorKind.CLOSED;
    }
}
