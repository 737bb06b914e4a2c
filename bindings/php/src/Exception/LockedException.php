<?php

declare(strict_types=1);

namespace Wal\Exception;

/** Another writer holds the log: stop it, or wait for it with `lockWaitMs`. */
final class LockedException extends WalException
{
}
