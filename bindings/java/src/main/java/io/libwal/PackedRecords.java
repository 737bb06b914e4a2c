package io.libwal;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * Many records in one piece of memory outside the heap: one call appends all of them as a batch, or reads as many as have
 * room. The fastest way to do either, without an object for each record. To be used again and again, by one thread at a
 * time.
 *
 * <pre>{@code
 * PackedRecords records = PackedRecords.allocate(1 << 20);
 * while (cursor.read(records) > 0) {
 *     for (int i = 0; i < records.count(); i++) {
 *         handle(records.lsn(i), records.slice(i));
 *     }
 * }
 * }</pre>
 *
 * @since 0.1.0
 */
public final class PackedRecords implements Iterable<Record> {
    /** A record's length, flags and LSN stand before its bytes; the next one begins at a multiple of 8. */
    static final int HEADER_BYTES = 16;

    private static final int BATCH_CONTINUES = 1;

    private ByteBuffer memory;
    private ByteBuffer view;
    /** The same memory, with a position. */
    private ByteBuffer writer;
    private long address;
    private int bytes;
    private int count;
    private int[] offsets = new int[64];

    private PackedRecords(int capacity) {
        place(capacity);
    }

    /**
     * Makes room.
     *
     * @param bytes how many bytes, with 16 to 23 for each record besides its own
     * @return memory for records, empty
     */
    public static PackedRecords allocate(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes is " + bytes + ": it cannot be negative");
        }
        return new PackedRecords(Math.max(bytes, HEADER_BYTES));
    }

    private void place(int capacity) {
        memory = ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
        view = memory.asReadOnlyBuffer();
        writer = memory.duplicate();
        address = Native.address(memory);
    }

    /**
     * Adds a record for an append.
     *
     * @param record the record; its bytes are copied
     * @return whether there was room for it
     */
    public boolean add(byte[] record) {
        return add(ByteBuffer.wrap(record));
    }

    /**
     * Adds a record for an append.
     *
     * @param record the record, from the buffer's position to its limit; the bytes are copied and the position moved to the
     *     limit
     * @return whether there was room for it; if not, nothing was moved
     */
    public boolean add(ByteBuffer record) {
        int length = record.remaining();
        long end = end(bytes, length);
        if (end > memory.capacity()) {
            return false;
        }
        int start = bytes;
        // The padding first: it may be the field before the record's bytes, which is 0 as well.
        memory.putLong((int) end - 8, 0).putLong(start, length).putLong(start + 8, 0);
        writer.position(start + HEADER_BYTES);
        writer.put(record);
        note(start);
        bytes = (int) end;
        return true;
    }

    /** Where the next record begins after one of this length. */
    static long end(long start, int length) {
        return (start + HEADER_BYTES + length + 7) & -8L;
    }

    private void note(int offset) {
        if (count == offsets.length) {
            offsets = Arrays.copyOf(offsets, count * 2);
        }
        offsets[count++] = offset;
    }

    /** Forgets all records, and makes room for others. */
    public void clear() {
        bytes = 0;
        count = 0;
    }

    /**
     * How many records there are.
     *
     * @return the count
     */
    public int count() {
        return count;
    }

    /**
     * How many bytes there is room for.
     *
     * @return the bytes
     */
    public int capacity() {
        return memory.capacity();
    }

    /**
     * The LSN of a record that was read.
     *
     * @param index which one, from 0
     * @return the LSN; 0 for a record that was added
     */
    public long lsn(int index) {
        return memory.getLong(offset(index) + 8);
    }

    /**
     * Whether the record after this one belongs to the same batch.
     *
     * @param index which one, from 0
     * @return whether the batch goes on; no for a record that was added
     */
    public boolean batchContinues(int index) {
        return (memory.getInt(offset(index) + 4) & BATCH_CONTINUES) != 0;
    }

    /**
     * How many bytes a record has.
     *
     * @param index which one, from 0
     * @return the length
     */
    public int length(int index) {
        return memory.getInt(offset(index));
    }

    /**
     * The bytes of a record, where they lie: valid until these records are cleared or read into again, after which the
     * buffer shows other bytes.
     *
     * @param index which one, from 0
     * @return a read-only buffer
     */
    public ByteBuffer slice(int index) {
        int start = offset(index) + HEADER_BYTES;
        ByteBuffer slice = view.duplicate();
        slice.limit(start + length(index)).position(start);
        return slice.slice();
    }

    /**
     * A record with a copy of its bytes.
     *
     * @param index which one, from 0
     * @return the record
     */
    public Record record(int index) {
        byte[] copy = new byte[length(index)];
        slice(index).get(copy);
        return new Record(lsn(index), batchContinues(index), copy);
    }

    /** Goes over copies of the records. */
    @Override
    public Iterator<Record> iterator() {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < count;
            }

            @Override
            public Record next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return record(next++);
            }
        };
    }

    private int offset(int index) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException("record " + index + " of " + count);
        }
        return offsets[index];
    }

    /** Appends what was added. */
    long appendTo(long log, AppendOptions options) throws WalException, java.io.InterruptedIOException {
        ByteBuffer kept = memory;
        try {
            return Native.appendPacked(log, address, bytes, options.level, options.waitNanos, options.timeNanos);
        } finally {
            Reference.reachabilityFence(kept);
        }
    }

    /** A read into memory at an address: how many records, or how many bytes the first one needs, negative. */
    interface Reader {
        long read(long address, long capacity) throws WalException;
    }

    /** Reads as many records as have room, making more where not even one has. */
    int fill(Reader reader) throws WalException {
        clear();
        ByteBuffer kept = memory;
        long found = reader.read(address, kept.capacity());
        while (found < 0) {
            if (-found > Integer.MAX_VALUE - 8) {
                throw new IllegalStateException("a record of " + -found + " bytes: more than a buffer of Java can hold");
            }
            place((int) Math.max(-found, Math.min(kept.capacity() * 2L, 1 << 30)));
            kept = memory;
            found = reader.read(address, kept.capacity());
        }
        Reference.reachabilityFence(kept);
        int offset = 0;
        for (long left = found; left > 0; left--) {
            note(offset);
            offset = (int) end(offset, memory.getInt(offset));
        }
        bytes = offset;
        return count;
    }
}
