<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The time was up; whatever was waited for goes on. */
final class TimeoutException extends WalException
{
}
