package io.libwal;

/**
 * What an acknowledgement promises, and what readers see.
 *
 * @since 0.1.0
 */
public enum Level {
    /** The record is in the engine's memory; it is lost with the process. */
    BUFFERED(1),
    /** The record was given to the kernel; it survives the death of the process. */
    OS(2),
    /** The record survives power loss. */
    DISK(3);

    final int code;

    Level(int code) {
        this.code = code;
    }

    static Level of(long code) {
        return code == 1 ? BUFFERED : code == 2 ? OS : DISK;
    }
}
