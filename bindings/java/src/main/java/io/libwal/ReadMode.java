package io.libwal;

/**
 * How records are read.
 *
 * @since 0.1.0
 */
public enum ReadMode {
    /** Through a mapping, without copying. A device error while reading, or another process that cuts the file, ends the
     * JVM: take {@link #PREAD} where that can happen. */
    MAP,
    /** With {@code pread}; every failure is an exception. */
    PREAD
}
