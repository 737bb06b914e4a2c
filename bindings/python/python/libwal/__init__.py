"""An embeddable, crash-safe write-ahead log.

    import libwal

    with libwal.open("orders.wal") as log:
        lsn = log.append(b"order 1")  # on stable storage when it returns
        log.append_batch([b"order 2", b"order 3"])  # all or nothing after a crash
        for lsn, data in log.cursor():
            print(lsn, data)

A log is a directory with one append-only sequence of records, numbered by LSNs. After a crash
`open` gives back everything that was acknowledged, in order, and nothing that is wrong.
"""

from ._errors import (
    ClosedError,
    ConflictError,
    CorruptError,
    ForkedError,
    FullError,
    InternalError,
    InvalidError,
    IoError,
    LockedError,
    NotFoundError,
    PoisonedError,
    TimeoutError,
    TrimmedError,
    TruncatedError,
    UnsupportedError,
    WalError,
    WouldBlockError,
)
from ._libwal import (
    Arena,
    Cursor,
    Follower,
    Notifier,
    Record,
    Ticket,
    __version__,
    destroy,
    info,
    pack,
    repair,
    verify,
)
from ._log import Durability, Log, open, open_async
from ._reports import (
    CopyReport,
    Cut,
    Finding,
    Info,
    Latency,
    RecoveryReport,
    RepairReport,
    Segment,
    Stats,
    VerifyReport,
)
from ._values import Values

__all__ = [
    "Arena",
    "ClosedError",
    "ConflictError",
    "CopyReport",
    "CorruptError",
    "Cursor",
    "Cut",
    "Durability",
    "Finding",
    "Follower",
    "ForkedError",
    "FullError",
    "Info",
    "InternalError",
    "InvalidError",
    "IoError",
    "Latency",
    "LockedError",
    "Log",
    "NotFoundError",
    "Notifier",
    "PoisonedError",
    "Record",
    "RecoveryReport",
    "RepairReport",
    "Segment",
    "Stats",
    "Ticket",
    "TimeoutError",
    "TrimmedError",
    "TruncatedError",
    "UnsupportedError",
    "Values",
    "VerifyReport",
    "WalError",
    "WouldBlockError",
    "__version__",
    "destroy",
    "info",
    "open",
    "open_async",
    "pack",
    "repair",
    "verify",
]
