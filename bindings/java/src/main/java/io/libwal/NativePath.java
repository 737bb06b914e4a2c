package io.libwal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/** A path as the system has it: bytes, which need not be text in the encoding Java takes for the platform's. */
final class NativePath {
    private NativePath() {}

    static byte[] of(Path path) {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            throw new IllegalArgumentException("a log lies in the default file system, not at " + path.toUri());
        }
        // A URI has the very bytes, each that is not plain ASCII as %XX.
        byte[] escaped = path.toAbsolutePath().toUri().getRawPath().getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(escaped.length);
        for (int i = 0; i < escaped.length; i++) {
            if (escaped[i] == '%') {
                bytes.write(Character.digit(escaped[i + 1], 16) << 4 | Character.digit(escaped[i + 2], 16));
                i += 2;
            } else {
                bytes.write(escaped[i]);
            }
        }
        return withoutSlash(bytes.toByteArray());
    }

    /** Of an existing directory the URI ends in a slash. */
    private static byte[] withoutSlash(byte[] path) {
        boolean ends = path.length > 1 && path[path.length - 1] == '/';
        return ends ? java.util.Arrays.copyOf(path, path.length - 1) : path;
    }
}
