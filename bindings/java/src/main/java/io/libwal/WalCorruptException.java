package io.libwal;

import java.util.Optional;

/**
 * Bytes on disk are not what was written: verify the log, then restore it from a copy or salvage it with a repair.
 *
 * @since 0.1.0
 */
public final class WalCorruptException extends WalException {
    private static final long serialVersionUID = 1L;

    WalCorruptException(ErrorDetails details) {
        super(ErrorKind.CORRUPT, details);
    }

    /**
     * The records at stake.
     *
     * @return their LSNs, as far as the readable bytes tell
     */
    public Optional<LsnRange> lsns() {
        return Optional.ofNullable(details().lsns);
    }
}
