<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The position was truncated away: go back to `$lsn`, the last record still there. */
final class TruncatedException extends WalException
{
}
