package io.libwal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A few small facts that belong to the log and survive with it: a vote, a term, an offset.
 *
 * <p>Keys are 1 to 255 bytes, values up to 4 KiB, everything together up to 128 KiB. Each change costs one sync and is
 * independent of appends.
 *
 * @since 0.1.0
 */
public final class Values {
    private final Log log;

    Values(Log log) {
        this.log = log;
    }

    /**
     * The value of a key.
     *
     * @param key the key
     * @return the value, if it was set
     * @throws WalException {@link WalCorruptException} on a read-only log whose state is lost
     */
    public Optional<byte[]> get(byte[] key) throws WalException {
        Objects.requireNonNull(key, "key");
        return Optional.ofNullable(log.call(handle -> Native.valueGet(handle, key)));
    }

    /**
     * Sets a key. When this returns, the value survives power loss; a crash before leaves the old one or the new one.
     *
     * @param key the key
     * @param value the value
     * @throws WalException {@link WalFullException} when everything together would be too large; {@link WalIoException}
     *     after a failed write, which poisons the log
     * @throws IllegalArgumentException for a key or value out of bounds and on a read-only log
     */
    public void set(byte[] key, byte[] value) throws WalException {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(value, "value");
        change(new byte[][] {key}, new byte[][] {value});
    }

    /**
     * Deletes a key. When this returns, the deletion survives power loss.
     *
     * @param key the key
     * @return whether it was set
     * @throws WalException as {@link #set}
     */
    public boolean delete(byte[] key) throws WalException {
        Objects.requireNonNull(key, "key");
        return log.call(handle -> Native.valueDelete(handle, key));
    }

    /**
     * Sets and deletes several keys at once; of a key named twice the last counts. When this returns, all of it survives
     * power loss; a crash before leaves all or nothing of it.
     *
     * @param changes the keys with their values, null to delete one
     * @throws WalException as {@link #set}
     */
    public void update(Iterable<? extends Map.Entry<byte[], byte[]>> changes) throws WalException {
        List<byte[]> keys = new ArrayList<>();
        List<byte[]> values = new ArrayList<>();
        for (Map.Entry<byte[], byte[]> change : changes) {
            keys.add(Objects.requireNonNull(change.getKey(), "key"));
            values.add(change.getValue());
        }
        change(keys.toArray(new byte[0][]), values.toArray(new byte[0][]));
    }

    /**
     * Every key and its value, in the order of the keys.
     *
     * @return the pairs
     * @throws WalException as {@link #get}
     */
    public List<Map.Entry<byte[], byte[]>> list() throws WalException {
        byte[][] pairs = log.call(Native::valuesList);
        List<Map.Entry<byte[], byte[]>> list = new ArrayList<>(pairs.length / 2);
        for (int i = 0; i < pairs.length; i += 2) {
            list.add(Map.entry(pairs[i], pairs[i + 1]));
        }
        return list;
    }

    private void change(byte[][] keys, byte[][] values) throws WalException {
        log.call(handle -> {
            Native.valuesUpdate(handle, keys, values);
            return null;
        });
    }
}
