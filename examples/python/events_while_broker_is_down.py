"""Keeps events on disk while the message broker is down, and sends them once it is back.

The service acknowledges an event to its client when the log has it, and one task hands the log's
records to the broker, in order, for as long as that takes. How far it got is kept in the log's own
values, so that a restart goes on where the last run stopped: at least once, never not at all.

    python events_while_broker_is_down.py /tmp/outgoing
"""

import asyncio
import sys

import libwal


class Broker:
    """Stands in for a broker's client: unreachable at first."""

    def __init__(self) -> None:
        self.is_up = False
        self.received: list[bytes] = []

    async def publish(self, event: bytes) -> None:
        if not self.is_up:
            raise ConnectionError("connection refused")
        self.received.append(event)


class Outgoing:
    """Events on their way to a broker."""

    def __init__(self, log: libwal.Log) -> None:
        self.log = log

    async def accept(self, event: bytes) -> None:
        """When this returns, the event cannot be lost any more: tell the client so."""
        await self.log.append_async(event)

    async def send(self, broker: Broker) -> None:
        """Sends everything there is, and whatever comes, for ever."""
        sent = int.from_bytes(self.log.values.get(b"sent", b""), "little")
        follower = self.log.follow(max(sent + 1, self.log.first_lsn or 1))
        async for lsn, event in follower:
            pause = 0.05
            while True:
                try:
                    await broker.publish(event)
                    break
                except ConnectionError as error:
                    print(f"event {lsn} has to wait: {error}")
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
            # Not after each event: what is sent twice after a crash costs less than a sync each.
            if lsn % 100 == 0 or lsn == self.log.last_lsn:
                await asyncio.to_thread(self._note_sent, lsn)

    def _note_sent(self, lsn: int) -> None:
        self.log.values[b"sent"] = lsn.to_bytes(8, "little")
        # Files go once every record in them was sent.
        self.log.trim(lsn + 1)


async def main(path: str) -> None:
    # 1 GiB is how much may pile up; then `accept` raises FullError, and clients are told to wait.
    log = await libwal.open_async(path, max_bytes=1 << 30)
    async with log:
        broker, outgoing = Broker(), Outgoing(log)
        sending = asyncio.create_task(outgoing.send(broker))

        before = log.next_lsn
        await asyncio.gather(*[outgoing.accept(b"event %d" % n) for n in range(250)])
        print(f"250 events accepted, {len(broker.received)} of them sent: the broker is down")

        await asyncio.sleep(0.2)
        broker.is_up = True
        while int.from_bytes(log.values.get(b"sent", b""), "little") < before + 249:
            await asyncio.sleep(0.01)
        print(f"the broker is back: {len(broker.received)} events sent, in order")
        assert broker.received[-250:] == [b"event %d" % n for n in range(250)]
        sending.cancel()


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "outgoing.wal"))
