package io.libwal;

/**
 * The next LSN is not the expected one: read up to {@link #lsn()}, the next one of the log, and decide again; nothing was
 * appended.
 *
 * @since 0.1.0
 */
public final class WalConflictException extends WalException {
    private static final long serialVersionUID = 1L;

    WalConflictException(ErrorDetails details) {
        super(ErrorKind.CONFLICT, details);
    }
}
