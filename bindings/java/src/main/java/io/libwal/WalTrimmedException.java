package io.libwal;

/**
 * The position was trimmed away: go on from {@link #lsn()}, the first record still there.
 *
 * @since 0.1.0
 */
public final class WalTrimmedException extends WalException {
    private static final long serialVersionUID = 1L;

    WalTrimmedException(ErrorDetails details) {
        super(ErrorKind.TRIMMED, details);
    }
}
