<?php

declare(strict_types=1);

namespace Wal\Exception;

/** An earlier write or sync failed: reopen the log, which finds out what is on disk. */
final class PoisonedException extends WalException
{
}
