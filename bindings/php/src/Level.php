<?php

declare(strict_types=1);

namespace Wal;

/** What an acknowledgement promises. */
enum Level: int
{
    /** The record is in the engine's memory; it is lost with the process. */
    case Buffered = 1;
    /** The record was given to the kernel; it survives the death of the process. */
    case Os = 2;
    /** The record survives power loss. */
    case Disk = 3;
}
