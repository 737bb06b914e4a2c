<?php

declare(strict_types=1);

namespace Wal\Exception;

/** An argument or option is wrong: correct the call. Nothing was changed. */
final class InvalidException extends WalException
{
}
