<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The position was trimmed away: go on from `$lsn`, the first record still there. */
final class TrimmedException extends WalException
{
}
