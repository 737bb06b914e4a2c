package io.libwal;

/**
 * The system refused: look at {@link #errno()}; after a failed append, reopen the log to find out what is on disk.
 *
 * @since 0.1.0
 */
public final class WalIoException extends WalException {
    private static final long serialVersionUID = 1L;

    WalIoException(ErrorDetails details) {
        super(ErrorKind.IO, details);
    }
}
