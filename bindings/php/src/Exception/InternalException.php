<?php

declare(strict_types=1);

namespace Wal\Exception;

/** A bug in libwal: please report it. */
final class InternalException extends WalException
{
}
