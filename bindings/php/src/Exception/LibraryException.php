<?php

declare(strict_types=1);

namespace Wal\Exception;

/** The shared library cannot be used here; the message says what to do. */
final class LibraryException extends WalException
{
}
