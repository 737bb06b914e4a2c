<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The system refused (`$osErrno`). After a failed append, reopen the log to find out. */
final class IoException extends WalException
{
}
