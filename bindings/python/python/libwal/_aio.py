"""What asyncio needs: a channel for each pair of log and event loop, and no thread per call.

Nothing here decides anything about a log. An append goes straight to the native channel; only when
the log has no room at the moment does it queue here, behind those that came before it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ._libwal import Channel

if TYPE_CHECKING:
    from ._libwal import Follower, Record, Ticket
    from ._log import Log

# How long to wait for room when nothing of this loop is in flight whose end could tell of it.
_ROOM_POLL_SECONDS = 0.002


class Port:
    """One log as one event loop sees it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        # Appends that found no room: call, record or records, future, durability.
        self._queued: deque[tuple[Any, Any, asyncio.Future[Any], str | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def append(
        self, loop: asyncio.AbstractEventLoop, record: Any, durability: str | None
    ) -> asyncio.Future[int]:
        future: asyncio.Future[int] = loop.create_future()
        if self._queued or not self.channel.submit(record, future, durability):
            self._queue(self.channel.submit, _frozen(record), future, durability)
        return future

    def append_batch(
        self, loop: asyncio.AbstractEventLoop, records: Any, durability: str | None
    ) -> asyncio.Future[range]:
        future: asyncio.Future[range] = loop.create_future()
        if self._queued or not self.channel.submit_batch(records, future, durability):
            batch = [_frozen(record) for record in records]
            self._queue(self.channel.submit_batch, batch, future, durability)
        return future

    def drain(self) -> None:
        """Settles what has ended; called by the loop when the channel's descriptor is readable."""
        self.channel.drain()
        self._submit_queued()

    def retire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Settles what is left once the log was closed, and leaves the loop."""
        self.drain()
        loop.remove_reader(self.channel.fileno())

    def _queue(
        self, submit: Any, record: Any, future: asyncio.Future[Any], durability: str | None
    ) -> None:
        self._queued.append((submit, record, future, durability))
        if self._timer is None:
            self._timer = future.get_loop().call_later(_ROOM_POLL_SECONDS, self._look_for_room)

    def _look_for_room(self) -> None:
        self._timer = None
        self._submit_queued()

    def _submit_queued(self) -> None:
        while self._queued:
            submit, record, future, durability = self._queued[0]
            # One that was cancelled before it was handed to the log is not appended.
            if not future.done():
                try:
                    if not submit(record, future, durability):
                        break
                except Exception as error:
                    future.set_exception(error)
            self._queued.popleft()
        if self._queued and self._timer is None:
            loop = self._queued[0][2].get_loop()
            self._timer = loop.call_later(_ROOM_POLL_SECONDS, self._look_for_room)


class Ports:
    """The event loops of one log. The latest one is found without a look-up."""

    def __init__(self) -> None:
        self.latest: tuple[asyncio.AbstractEventLoop | None, Port | None] = (None, None)
        self._all: WeakKeyDictionary[asyncio.AbstractEventLoop, Port] = WeakKeyDictionary()

    def of(self, log: Log, loop: asyncio.AbstractEventLoop) -> Port:
        port = self._all.get(loop)
        if port is None:
            port = Port(log._channel())
            loop.add_reader(port.channel.fileno(), port.drain)
            self._all[loop] = port
        self.latest = (loop, port)
        return port

    def retire(self) -> None:
        """Has every loop let go of the log, which was closed, when it comes to it."""
        for loop, port in list(self._all.items()):
            if not loop.is_closed():
                # One that is being closed on another thread needs no farewell.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(port.retire, loop)


def port_of(log: Log) -> tuple[asyncio.AbstractEventLoop, Port]:
    """The running loop, and the log as it sees it."""
    loop = asyncio.get_running_loop()
    latest, port = log._ports.latest
    if latest is loop and port is not None:
        return loop, port
    return loop, log._ports.of(log, loop)


async def ticket_wait(ticket: Ticket) -> range:
    """Awaits an append that was submitted without the loop."""
    loop, port = port_of(ticket._log)
    future: asyncio.Future[range] = loop.create_future()
    port.channel.watch_ticket(ticket, future)
    return await future


async def follower_next(follower: Follower) -> Record:
    """The follower's next record.

    What is there already is read by a thread, many records at a time, for it may lie on a disk;
    then the log wakes the loop. Records are kept by the follower until they are taken, so that a
    cancelled wait loses none.
    """
    while True:
        record = follower._pop()
        if record is not None:
            return record
        if not await asyncio.to_thread(follower._fill):
            loop, port = port_of(follower._log)
            future: asyncio.Future[None] = loop.create_future()
            port.channel.watch_follower(follower, future)
            await future


def _frozen(record: Any) -> bytes:
    return record if isinstance(record, bytes) else memoryview(record).tobytes()
