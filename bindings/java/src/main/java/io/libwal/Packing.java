package io.libwal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Collection;

/** A batch packed into one array, so that one call hands all of it over. */
final class Packing {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    final byte[] bytes;
    final int count;

    private Packing(byte[] bytes, int count) {
        this.bytes = bytes;
        this.count = count;
    }

    static Packing of(Collection<byte[]> batch) {
        // Another thread may change the collection meanwhile.
        byte[][] records = batch.toArray(new byte[0][]);
        long size = 0;
        for (byte[] record : records) {
            size = PackedRecords.end(size, record.length);
        }
        if (size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a batch of " + size + " bytes does not fit into an array: split it");
        }
        byte[] packed = new byte[(int) size];
        int start = 0;
        for (byte[] record : records) {
            INT.set(packed, start, record.length);
            System.arraycopy(record, 0, packed, start + PackedRecords.HEADER_BYTES, record.length);
            start = (int) PackedRecords.end(start, record.length);
        }
        return new Packing(packed, records.length);
    }
}
