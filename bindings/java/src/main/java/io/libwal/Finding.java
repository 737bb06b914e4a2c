package io.libwal;

/**
 * One wrong place.
 *
 * @since 0.1.0
 */
public final class Finding {
    private final WalException error;
    private final boolean recordsAtStake;

    Finding(Fields fields) {
        this.error = fields.error();
        this.recordsAtStake = fields.yes();
    }

    /**
     * What is wrong and where: a {@link WalCorruptException}, or a {@link WalIoException} where the system refuses to read.
     *
     * @return the error, not thrown
     */
    public WalException error() {
        return error;
    }

    /**
     * Whether records, or the values, can be lost by it. False for what the log holds twice or can be built again.
     *
     * @return whether it is so
     */
    public boolean recordsAtStake() {
        return recordsAtStake;
    }
}
