package io.libwal;

/**
 * How the active segment is written.
 *
 * @since 0.1.0
 */
public enum IoMode {
    /** The engine chooses for each commit. */
    AUTO,
    /** Through the page cache. */
    BUFFERED,
    /** Past the page cache ({@code O_DIRECT}), where the file system can. */
    DIRECT
}
