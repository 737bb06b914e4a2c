package io.libwal;

/**
 * The call would have had to wait: try again later, or allow it to wait.
 *
 * @since 0.1.0
 */
public final class WalWouldBlockException extends WalException {
    private static final long serialVersionUID = 1L;

    WalWouldBlockException(ErrorDetails details) {
        super(ErrorKind.WOULD_BLOCK, details);
    }
}
