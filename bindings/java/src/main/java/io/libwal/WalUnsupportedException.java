package io.libwal;

/**
 * The file belongs to a newer version or uses a feature this one does not know: upgrade.
 *
 * @since 0.1.0
 */
public final class WalUnsupportedException extends WalException {
    private static final long serialVersionUID = 1L;

    WalUnsupportedException(ErrorDetails details) {
        super(ErrorKind.UNSUPPORTED, details);
    }
}
