<?php

declare(strict_types=1);

namespace Wal\Exception;

/**
 * Why a call did not do what it was asked. The class says what to do next, `getCode()` is the
 * number of the code in C. What a failure has nothing to say about is null.
 */
abstract class WalException extends \RuntimeException
{
    /**
     * @param ?int $lsn the LSN the class speaks of
     * @param ?int $segment the segment the failure is about
     * @param ?int $offset where in its file
     * @param ?string $path the log the call was for
     * @param ?int $osErrno the system's error number, if the system refused
     */
    final public function __construct(
        string $message,
        int $code = 0,
        public readonly ?int $lsn = null,
        public readonly ?int $segment = null,
        public readonly ?int $offset = null,
        public readonly ?string $path = null,
        public readonly ?int $osErrno = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $code, $previous);
    }
}
