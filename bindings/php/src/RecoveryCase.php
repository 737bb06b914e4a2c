<?php

declare(strict_types=1);

namespace Wal;

/** What opening found. */
enum RecoveryCase: int
{
    /** Something a newer version of the engine tells apart; the message says what. */
    case Other = 0;
    /** There was no log; it was created. */
    case Created = 1;
    /** The log was closed properly. */
    case Clean = 2;
    /** The log was not closed, and its last commit is whole. */
    case Whole = 3;
    /** The log was not closed, and an unfinished commit was cut off its end. */
    case TornTail = 4;
}
