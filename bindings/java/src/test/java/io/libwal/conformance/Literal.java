package io.libwal.conformance;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Bytes as scenarios write them and transcripts print them, and those that writer and reader agree on. */
final class Literal {
    private static final int SHORT_BYTES_MAX = 32;

    private Literal() {}

    static byte[] read(String literal) {
        String[] parts = literal.split(":", 2);
        switch (parts[0]) {
            case "text":
                return parts[1].getBytes(StandardCharsets.US_ASCII);
            case "hex":
                return hex(parts[1]);
            case "zeros":
                return new byte[Integer.parseInt(parts[1])];
            case "pattern":
                String[] pattern = parts[1].split(":");
                return pattern(Long.parseUnsignedLong(pattern[0]), Integer.parseInt(pattern[1]));
            default:
                throw new Line.Misread(literal + " is no literal");
        }
    }

    static byte[] hex(String digits) {
        byte[] bytes = new byte[digits.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(digits.substring(i * 2, i * 2 + 2), 16);
        }
        return bytes;
    }

    static String print(byte[] bytes) {
        if (bytes.length <= SHORT_BYTES_MAX) {
            StringBuilder text = new StringBuilder("hex:");
            for (byte b : bytes) {
                text.append(String.format("%02x", b));
            }
            return text.toString();
        }
        return bytes.length + ":" + checksum(bytes);
    }

    static String checksum(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return String.format("%08x", crc.getValue());
    }

    /** The numbers of a seed. */
    static final class Numbers {
        private int state;

        Numbers(long seed) {
            state = (int) seed * (int) 2654435761L + 1;
            if (state == 0) {
                state = 1;
            }
        }

        int draw() {
            state ^= state << 13;
            state ^= state >>> 17;
            state ^= state << 5;
            return state;
        }
    }

    static byte[] pattern(long seed, int length) {
        Numbers numbers = new Numbers(seed);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i += 4) {
            int x = numbers.draw();
            for (int j = i; j < Math.min(i + 4, length); j++) {
                bytes[j] = (byte) (x >>> (j - i) * 8);
            }
        }
        return bytes;
    }

    /** The record that {@code write} appends with this LSN. */
    static byte[] record(long lsn) {
        byte[] pattern = pattern(lsn, (int) (lsn % 64 == 0 ? lsn * 977 % 5000 : lsn * 31 % 120));
        byte[] record = new byte[8 + pattern.length];
        for (int i = 0; i < 8; i++) {
            record[i] = (byte) (lsn >>> i * 8);
        }
        System.arraycopy(pattern, 0, record, 8, pattern.length);
        return record;
    }
}
