package io.libwal;

/**
 * The position was truncated away: go back to {@link #lsn()}, the last record still there.
 *
 * @since 0.1.0
 */
public final class WalTruncatedException extends WalException {
    private static final long serialVersionUID = 1L;

    WalTruncatedException(ErrorDetails details) {
        super(ErrorKind.TRUNCATED, details);
    }
}
