<?php

declare(strict_types=1);

namespace Wal\Exception;

/** There is no such log or record. */
final class NotFoundException extends WalException
{
}
