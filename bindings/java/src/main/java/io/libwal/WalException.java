package io.libwal;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A log could not do what it was asked. There is a subclass for each thing a caller can do about it.
 *
 * <p>A wrong argument is an {@link IllegalArgumentException} instead, a closed log a {@link WalClosedException}.
 *
 * @since 0.1.0
 */
public abstract class WalException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What the caller can do. */
    private final ErrorKind kind;
    /** All there is to tell. */
    private final ErrorDetails details;

    WalException(ErrorKind kind, ErrorDetails details) {
        super(details.message);
        this.kind = kind;
        this.details = details;
    }

    final ErrorDetails details() {
        return details;
    }

    /**
     * What the caller can do.
     *
     * @return the kind of this class
     */
    public final ErrorKind kind() {
        return kind;
    }

    /**
     * The LSN the kind speaks of: the first kept record of {@link WalTrimmedException}, the last of
     * {@link WalTruncatedException}, the next LSN of {@link WalConflictException}, the first record at stake of
     * {@link WalCorruptException}.
     *
     * @return the LSN, if the error has one
     */
    public final OptionalLong lsn() {
        return optional(details.lsn);
    }

    /**
     * The segment the error is about.
     *
     * @return its number, if the error has one
     */
    public final OptionalLong segment() {
        return optional(details.segment);
    }

    /**
     * Where in the file.
     *
     * @return the offset in bytes, if the error has one
     */
    public final OptionalLong offset() {
        return optional(details.offset);
    }

    /**
     * The file or directory the error is about.
     *
     * @return its path, if the error has one that Java can express
     */
    public final Optional<Path> path() {
        try {
            return Optional.ofNullable(details.path).map(Path::of);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /**
     * The system's error number, if the system refused.
     *
     * @return the number
     */
    public final OptionalInt errno() {
        return details.errno < 0 ? OptionalInt.empty() : OptionalInt.of((int) details.errno);
    }

    private static OptionalLong optional(long number) {
        return number < 0 ? OptionalLong.empty() : OptionalLong.of(number);
    }
}
