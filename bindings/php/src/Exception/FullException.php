<?php

declare(strict_types=1);

namespace Wal\Exception;

/** No room, by the disk or by a limit: surely not written. Free space and try again. */
final class FullException extends WalException
{
}
