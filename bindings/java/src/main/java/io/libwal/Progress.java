package io.libwal;

/**
 * Hears how far a verification is.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface Progress {
    /**
     * Hears how far it is.
     *
     * @param bytesDone the bytes read
     * @param bytesTotal the bytes to be read
     */
    void progress(long bytesDone, long bytesTotal);
}
