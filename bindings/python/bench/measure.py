"""What the same work costs in Python: `wal-bench languages` asks (see bench/README.md)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns

import libwal
from asked import (
    ASYNC,
    BATCH,
    BURST,
    BURSTS,
    DURABLE,
    DURABLE_BATCHES,
    IN_FLIGHT,
    OS,
    PASSES,
    READ,
    RECORD,
    Answer,
    serve,
    timed,
)

PACKED = libwal.pack(BATCH)
LEVELS = {
    "os": libwal.Durability.OS,
    "durable": libwal.Durability.DISK,
    "durable-batch": libwal.Durability.DISK,
    "async": libwal.Durability.DISK,
}


def append(log: libwal.Log, records: int) -> None:
    append = log.append
    for _ in range(records):
        append(RECORD)


def batch(log: libwal.Log, records: int) -> None:
    for _ in range(records // len(BATCH)):
        log.append_batch(BATCH)


def packed(log: libwal.Log, records: int) -> None:
    for _ in range(records // len(BATCH)):
        log.append_packed(PACKED)


def bursts(log: libwal.Log, work: Callable[[libwal.Log, int], None]) -> Answer:
    """Bursts that fit into memory: what the disk does in between is not counted."""
    taken = 0
    for _ in range(BURSTS):
        started = perf_counter_ns()
        work(log, BURST)
        taken += perf_counter_ns() - started
        log.sync()
    return BURSTS * BURST, taken


def read(log: libwal.Log) -> int:
    cursor, found = log.cursor(), 0
    while records := cursor.read_batch(1000):
        found += sum(len(record.data) for record in records)
    return found // len(RECORD)


def read_packed(log: libwal.Log) -> int:
    cursor, found = log.cursor(), 0
    while records := len(cursor.read_arena()):
        found += records
    return found


def reads(log: libwal.Log, work: Callable[[libwal.Log], int]) -> Answer:
    batch(log, READ)
    log.sync()
    started = perf_counter_ns()
    for _ in range(PASSES):
        assert work(log) == READ, "every record was read"
    return PASSES * READ, perf_counter_ns() - started


async def in_flight(log: libwal.Log) -> Answer:
    started = perf_counter_ns()
    futures: deque[asyncio.Future[int]] = deque()
    for _ in range(ASYNC):
        if len(futures) == IN_FLIGHT:
            await futures.popleft()
        futures.append(log.append_async(RECORD))
    await asyncio.gather(*futures)
    return ASYNC, perf_counter_ns() - started


def measured(workload: str, directory: str) -> Answer | None:
    with libwal.open(directory, durability=LEVELS.get(workload, libwal.Durability.BUFFERED)) as log:
        match workload:
            case "append":
                return bursts(log, append)
            case "batch":
                return bursts(log, batch)
            case "packed":
                return bursts(log, packed)
            case "read":
                return reads(log, read)
            case "read-packed":
                return reads(log, read_packed)
            case "os":
                return timed(OS, lambda: append(log, OS))
            case "durable":
                return timed(DURABLE, lambda: append(log, DURABLE))
            case "durable-batch":
                records = DURABLE_BATCHES * len(BATCH)
                return timed(records, lambda: batch(log, records))
            case "async":
                return asyncio.run(in_flight(log))
            case _:
                return None


if __name__ == "__main__":
    serve(measured)
