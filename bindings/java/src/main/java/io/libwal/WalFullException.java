package io.libwal;

/**
 * There is no room: free space and try again; the records were surely not written.
 *
 * @since 0.1.0
 */
public final class WalFullException extends WalException {
    private static final long serialVersionUID = 1L;

    WalFullException(ErrorDetails details) {
        super(ErrorKind.FULL, details);
    }
}
