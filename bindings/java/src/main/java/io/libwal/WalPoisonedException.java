package io.libwal;

/**
 * An earlier write or sync failed: reopen the log, which finds out what is on disk.
 *
 * @since 0.1.0
 */
public final class WalPoisonedException extends WalException {
    private static final long serialVersionUID = 1L;

    WalPoisonedException(ErrorDetails details) {
        super(ErrorKind.POISONED, details);
    }
}
