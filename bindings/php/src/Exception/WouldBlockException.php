<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The call would have had to wait and was told not to. */
final class WouldBlockException extends WalException
{
}
