<?php

declare(strict_types=1);

namespace Wal;

/** What happens to an append that finds the log at `Options::$maxBytes`. */
enum AtCapacity: int
{
    /** It throws `FullException`. */
    case Reject = 0;
    /** It waits until a trim makes room; in PHP only another thread of the process could make it. */
    case Block = 1;
    /** The oldest segments are trimmed, whether they were read or not. */
    case TrimOldest = 2;
}
