package io.libwal;

/**
 * Hears how far a log is on stable storage.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface DurableListener {
    /**
     * Every record up to an LSN survives power loss now. Later news stands for earlier.
     *
     * @param lsn the durable LSN
     */
    void durable(long lsn);

    /**
     * The log was poisoned: nothing more will be durable.
     *
     * @param cause the first cause
     */
    default void failed(WalException cause) {}
}
