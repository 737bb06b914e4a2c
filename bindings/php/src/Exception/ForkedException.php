<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The log was inherited through a fork: open it again in this process. */
final class ForkedException extends WalException
{
}
