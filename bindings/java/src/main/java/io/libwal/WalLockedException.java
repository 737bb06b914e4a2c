package io.libwal;

/**
 * Another writer holds the log: stop it, or wait for it with {@link Options.Builder#lockWait}.
 *
 * @since 0.1.0
 */
public final class WalLockedException extends WalException {
    private static final long serialVersionUID = 1L;

    WalLockedException(ErrorDetails details) {
        super(ErrorKind.LOCKED, details);
    }
}
