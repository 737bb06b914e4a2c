<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The log was closed: open it again. */
final class ClosedException extends WalException
{
}
