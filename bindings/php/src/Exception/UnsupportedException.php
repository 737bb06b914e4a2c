<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The file belongs to a newer version or uses a feature this one does not know: upgrade. */
final class UnsupportedException extends WalException
{
}
