package io.libwal;

/**
 * Gets the records of a replay.
 *
 * @param <X> what it may throw
 * @since 0.1.0
 */
@FunctionalInterface
public interface ReplayCallback<X extends Exception> {
    /**
     * Gets a record.
     *
     * @param record the record
     * @return whether the replay goes on
     * @throws X ends the replay, which throws it as it is
     */
    boolean accept(Record record) throws X;
}
