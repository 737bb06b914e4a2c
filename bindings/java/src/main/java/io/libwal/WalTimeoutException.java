package io.libwal;

/**
 * The time is up: wait again, what was waited for goes on.
 *
 * @since 0.1.0
 */
public final class WalTimeoutException extends WalException {
    private static final long serialVersionUID = 1L;

    WalTimeoutException(ErrorDetails details) {
        super(ErrorKind.TIMEOUT, details);
    }
}
