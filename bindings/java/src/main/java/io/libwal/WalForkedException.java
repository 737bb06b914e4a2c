package io.libwal;

/**
 * The log was opened by another process: open it in this one.
 *
 * @since 0.1.0
 */
public final class WalForkedException extends WalException {
    private static final long serialVersionUID = 1L;

    WalForkedException(ErrorDetails details) {
        super(ErrorKind.FORKED, details);
    }
}
