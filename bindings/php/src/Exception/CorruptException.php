<?php

declare(strict_types=1);

namespace Wal\Exception;

/** Bytes on disk are not what was written: verify, restore from a copy, or repair. */
final class CorruptException extends WalException
{
}
