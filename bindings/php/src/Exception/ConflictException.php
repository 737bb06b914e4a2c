<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The next LSN is not the expected one, but `$lsn`. Nothing was appended. */
final class ConflictException extends WalException
{
}
