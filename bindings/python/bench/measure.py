"""What the same work costs in Python: `wal-bench languages` asks (see bench/README.md).

Reads lines `WORKLOAD DIRECTORY`, answers with `RECORDS NANOSECONDS` or `none`.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns

import libwal

RECORD = b"r" * 100
BATCH = [RECORD] * 1000
PACKED = libwal.pack(BATCH)
BURST = 20_000
BURSTS = 20
READ = 100_000
PASSES = 3
DURABLE = 300
ASYNC = 40_000
IN_FLIGHT = 256

Answer = tuple[int, int]


def append(log: libwal.Log, calls: int) -> None:
    append = log.append
    for _ in range(calls):
        append(RECORD)


def batch(log: libwal.Log, calls: int) -> None:
    for _ in range(calls // len(BATCH)):
        log.append_batch(BATCH)


def packed(log: libwal.Log, calls: int) -> None:
    for _ in range(calls // len(BATCH)):
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
        found += sum(map(len, records))
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


def durable(log: libwal.Log) -> Answer:
    started = perf_counter_ns()
    append(log, DURABLE)
    return DURABLE, perf_counter_ns() - started


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
    level = "disk" if workload in ("durable", "async") else "buffered"
    with libwal.open(directory, durability=level) as log:
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
            case "durable":
                return durable(log)
            case "async":
                return asyncio.run(in_flight(log))
            case _:
                return None


def main() -> None:
    for line in sys.stdin:
        workload, directory = line.rstrip("\n").split(" ", 1)
        answer = measured(workload, directory)
        print("none" if answer is None else f"{answer[0]} {answer[1]}", flush=True)


if __name__ == "__main__":
    main()
