package io.libwal;

import java.io.Serializable;

/** What the native library tells of an error; -1 stands for what is absent. */
final class ErrorDetails implements Serializable {
    private static final long serialVersionUID = 1L;

    final int code;
    final String message;
    final long lsn;
    final long segment;
    final long offset;
    final long errno;
    final transient LsnRange lsns;
    /** As text, because a path is not serializable. */
    final String path;

    ErrorDetails(long[] numbers, String message, String path) {
        this.code = (int) numbers[0];
        this.message = message;
        this.lsn = numbers[1];
        this.segment = numbers[2];
        this.offset = numbers[3];
        this.errno = numbers[4];
        this.lsns = numbers[5] < 0 ? null : new LsnRange(numbers[5], numbers[6]);
        this.path = path;
    }

    /** The exception a user of Java expects. */
    Exception toException() {
        switch (code) {
            case -1:
                return new WalInvalidException(this);
            case -2:
                return new WalNotFoundException(this);
            case -3:
                return new WalTrimmedException(this);
            case -4:
                return new WalTruncatedException(this);
            case -5:
                return new WalConflictException(this);
            case -6:
                return new WalClosedException(message);
            case -7:
                return new WalLockedException(this);
            case -8:
                return new WalFullException(this);
            case -9:
                return new WalTimeoutException(this);
            case -10:
                return new WalWouldBlockException(this);
            case -11:
                return new WalPoisonedException(this);
            case -12:
                return new WalIoException(this);
            case -13:
                return new WalCorruptException(this);
            case -14:
                return new WalUnsupportedException(this);
            case -15:
                return new WalForkedException(this);
            case 1:
                return new IllegalStateException(message);
            default:
                return new WalInternalException(this);
        }
    }
}
