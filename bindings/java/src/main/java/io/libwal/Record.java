package io.libwal;

import java.nio.ByteBuffer;

/**
 * One record, verified when it was read. Its bytes are a copy and stay for as long as the object does.
 *
 * <p>Import it by name: {@code java.lang} has a {@code Record} of its own since Java 16.
 *
 * @since 0.1.0
 */
public final class Record {
    private final long lsn;
    private final boolean batchContinues;
    private final byte[] bytes;

    Record(long lsn, boolean batchContinues, byte[] bytes) {
        this.lsn = lsn;
        this.batchContinues = batchContinues;
        this.bytes = bytes;
    }

    /**
     * The record's position in its log.
     *
     * @return the LSN, 1 or more
     */
    public long lsn() {
        return lsn;
    }

    /**
     * Whether the next record belongs to the same batch.
     *
     * @return whether the batch goes on
     */
    public boolean batchContinues() {
        return batchContinues;
    }

    /**
     * The record's bytes: the array itself, which is the caller's.
     *
     * @return the bytes
     */
    public byte[] bytes() {
        return bytes;
    }

    /**
     * The record's bytes.
     *
     * @return a new read-only buffer over them
     */
    public ByteBuffer buffer() {
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    /**
     * How many bytes the record has.
     *
     * @return the length
     */
    public int length() {
        return bytes.length;
    }

    @Override
    public String toString() {
        return "Record[lsn=" + lsn + ", length=" + bytes.length + (batchContinues ? ", batch continues]" : "]");
    }
}
