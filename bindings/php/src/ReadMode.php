<?php

declare(strict_types=1);

namespace Wal;

/** How records of sealed segments are read. */
enum ReadMode: int
{
    /** Through a mapping; a device that fails while it is read kills the process (SIGBUS). */
    case Map = 0;
    /** With system calls; every failure is an exception. */
    case Pread = 1;
}
