"""The log: the native one, and what only Python can add to it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import uuid
import warnings
import weakref
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from . import _libwal
from ._aio import Ports, port_of
from ._errors import WalError
from ._logging import deliver, listen
from ._values import Values

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._libwal import Record


class Durability(StrEnum):
    """What an acknowledgement promises. The names as plain strings do as well."""

    DISK = "disk"
    """The record survives power loss."""
    OS = "os"
    """The record was given to the kernel; it survives the death of the process."""
    BUFFERED = "buffered"
    """The record is in the log's memory; it is lost with the process."""


Level: TypeAlias = Durability | Literal["disk", "os", "buffered"]
Seconds: TypeAlias = float | timedelta
# An LSN, or one of the ends.
Start: TypeAlias = int | Literal["first", "end"]
# Nanoseconds since 1970, as `time.time_ns()` gives them, or a `datetime`.
Time: TypeAlias = int | datetime

# Logs that are open; those still open when the interpreter ends are closed in order.
_open_logs: weakref.WeakSet[Log] = weakref.WeakSet()


class Log(_libwal.Log):
    """An open log: made by `libwal.open`, used from any thread, closed by `with` or `close`."""

    _ports: Ports

    def __new__(cls, path: str | os.PathLike[str], options: dict[str, Any]) -> Self:
        listen()
        try:
            log = super().__new__(cls, path, options)
        finally:
            deliver()
        log._ports = Ports()
        _open_logs.add(log)
        return log

    @property
    def uuid(self) -> uuid.UUID:
        """The log's identity, unlike any other log's."""
        return uuid.UUID(bytes=self._uuid)

    @property
    def values(self) -> Values:
        """The log's small key-value state."""
        return Values(self)

    def append_async(
        self, record: Buffer, *, durability: Level | None = None
    ) -> asyncio.Future[int]:
        """Appends one record; the future, which need not be awaited at once, gives its LSN.

        When it does, the record is as durable as `append` makes it. The record is copied, and gets
        its place behind those appended before, when this is called; cancelling the future cancels
        no append that has its place.
        """
        loop, port = port_of(self)
        return port.append(loop, record, durability)

    def append_batch_async(
        self, records: Sequence[Buffer], *, durability: Level | None = None
    ) -> asyncio.Future[range]:
        """Appends several records as one batch; the future gives their LSNs."""
        loop, port = port_of(self)
        return port.append_batch(loop, records, durability)

    async def sync_async(self) -> int | None:
        """`sync` without keeping the event loop."""
        return await asyncio.to_thread(self.sync)

    async def close_async(self) -> None:
        """`close` without keeping the event loop."""
        await asyncio.to_thread(self.close)

    def replay(
        self,
        callback: Callable[[Record], object],
        start: Start | None = None,
        *,
        from_time: Time | None = None,
    ) -> int | None:
        """Calls `callback` with every record in order, until it returns False.

        Returns the LSN of the last record it was called with.
        """
        last = None
        for record in self.cursor(start, from_time=from_time):
            last = record.lsn
            if callback(record) is False:
                break
        return last

    def replay_parallel(
        self,
        callback: Callable[[Record], object],
        start: Start | None = None,
        *,
        from_time: Time | None = None,
        threads: int = 0,
        in_order: bool = True,
    ) -> int:
        """The same, read and verified by several threads (0: one for each processor).

        They deliver in order, or else segment by segment; `callback` is called by this thread.
        Returns how many records it was called with.
        """
        count = 0
        for records in self._replay(start, from_time, threads, in_order):
            for record in records:
                count += 1
                if callback(record) is False:
                    return count
        return count

    def close(self) -> None:
        """Makes everything durable, at whatever durability it was appended, and lets go of the log.

        Every other call raises ClosedError from then on; closing again does nothing. When this
        returns, every record ever appended survives power loss.
        """
        _open_logs.discard(self)
        try:
            super().close()
        finally:
            self._ports.retire()
            deliver()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close_async()

    def __del__(self) -> None:
        if self.closed:
            return
        warnings.warn(f"unclosed log {self!r}", ResourceWarning, stacklevel=2, source=self)
        # It may be a log of the parent process.
        _close_quietly(self)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<libwal.Log {str(self.path)!r}, {state}>"

    def __reduce__(self) -> str:
        raise TypeError("a log cannot be pickled: open it where it is needed")


def open(
    path: str | os.PathLike[str],
    *,
    durability: Level = "disk",
    create: bool = True,
    read_only: bool = False,
    lock_wait: Seconds = 0,
    segment_bytes: int | None = None,
    record_bytes_max: int | None = None,
    batch_bytes_max: int | None = None,
    ring_bytes: int | None = None,
    sync_every: Seconds | None = None,
    sync_bytes: int | None = None,
    max_batch_delay: Seconds = 0,
    max_batch_bytes: int | None = None,
    max_bytes: int | None = None,
    at_capacity: Literal["reject", "block", "trim_oldest"] = "reject",
    retention_bytes: int | None = None,
    retention_age: Seconds | None = None,
    retention_records: int | None = None,
    first_lsn: int = 1,
    io: Literal["auto", "buffered", "direct"] = "auto",
    read_mode: Literal["map", "pread"] = "pread",
    pad_to_block: bool = False,
) -> Log:
    """Opens the log in the directory `path`, creating it unless told otherwise.

    When this returns, every record the log holds survives power loss; `Log.recovery` tells what
    was found. Waiting for another writer (`lock_wait`) can be interrupted with Ctrl-C.

    Args:
        path: The log's directory.
        durability: What an acknowledgement promises unless the call says otherwise: "disk" (it
            survives power loss), "os" (the death of the process) or "buffered" (nothing yet).
        create: Whether a missing log is created; otherwise opening it raises NotFoundError.
        read_only: Reads beside a live writer, or after a crash. Changes nothing and takes no lock.
        lock_wait: How long to wait for another writer to go before LockedError.
        segment_bytes: Size of a segment file, 64 KiB to 4 GiB; 64 MiB unless given.
        record_bytes_max: The longest record accepted; 64 MiB unless given.
        batch_bytes_max: The largest batch accepted; 256 MiB unless given.
        ring_bytes: Memory for records on their way to the kernel; 16 MiB unless given.
        sync_every: Sync at the latest this long after a record was written, below "disk".
        sync_bytes: Sync at the latest when this many bytes were written since the last sync.
        max_batch_delay: How long a flush may wait for more records.
        max_batch_bytes: About how much one flush takes at the most; 4 MiB unless given.
        max_bytes: Size of all segment files together that is not exceeded.
        at_capacity: What happens at `max_bytes`: "reject", "block" or "trim_oldest".
        retention_bytes: Keep at most about this many bytes of records (whole segments).
        retention_age: Keep records at most about this long.
        retention_records: Keep at most about this many records.
        first_lsn: The first LSN of a log that is created.
        io: How the active segment is written.
        read_mode: "pread" reports every failure of a device as an exception. "map" is faster for
            single records, but a device that fails while it is read, or another process that cuts
            a file, kills the process (SIGBUS).
        pad_to_block: Pads every commit to a full block.
    """
    options = locals()
    del options["path"]
    return Log(path, options)


async def open_async(path: str | os.PathLike[str], **options: Any) -> Log:
    """`open` without keeping the event loop: recovering a large log may take a moment."""
    return await asyncio.to_thread(lambda: open(path, **options))


def _close_quietly(log: Log) -> None:
    with contextlib.suppress(WalError):
        log.close()


def _close_all() -> None:
    for log in list(_open_logs):
        _close_quietly(log)
    _libwal.ending()


atexit.register(_close_all)
for _class in (Durability, Log, open, open_async):
    _class.__module__ = "libwal"
