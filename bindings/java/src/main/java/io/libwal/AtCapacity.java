package io.libwal;

/**
 * What happens to an append that finds the log at {@link Options.Builder#maxBytes}.
 *
 * @since 0.1.0
 */
public enum AtCapacity {
    /** The append fails with {@link WalFullException}. */
    REJECT,
    /** The append waits until a trim makes room. */
    BLOCK,
    /** The oldest segments are trimmed, whether they were read or not. */
    TRIM_OLDEST
}
