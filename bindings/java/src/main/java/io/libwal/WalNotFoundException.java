package io.libwal;

/**
 * There is no such log, record or key: create it, or go on without it.
 *
 * @since 0.1.0
 */
public final class WalNotFoundException extends WalException {
    private static final long serialVersionUID = 1L;

    WalNotFoundException(ErrorDetails details) {
        super(ErrorKind.NOT_FOUND, details);
    }
}
