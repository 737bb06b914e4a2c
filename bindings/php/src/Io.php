<?php

declare(strict_types=1);

namespace Wal;

/** How the active segment is written. */
enum Io: int
{
    /** The engine chooses, by measurement. */
    case Auto = 0;
    /** Through the page cache. */
    case Buffered = 1;
    /** Past the page cache, where the file system can. */
    case Direct = 2;
}
