<?php

declare(strict_types=1);

namespace Wal;

/** What happens to an append that finds the log at `Options::$maxBytes`. */
enum AtCapacity: int
{
    /** It throws `FullException`. */
    case Reject = 0;
    /** It waits until retention makes room, or for ever: PHP has no other thread to trim. */
    case Block = 1;
    /** The oldest segments are trimmed, whether they were read or not. */
    case TrimOldest = 2;
}
