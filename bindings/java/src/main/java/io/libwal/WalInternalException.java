package io.libwal;

/**
 * A bug in libwal: report it, and open the log again.
 *
 * @since 0.1.0
 */
public final class WalInternalException extends WalException {
    private static final long serialVersionUID = 1L;

    WalInternalException(ErrorDetails details) {
        super(ErrorKind.INTERNAL, details);
    }
}
