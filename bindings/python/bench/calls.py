"""Each call of the package by itself, with pyperf and 100-byte records.

python calls.py --dir DIRECTORY -o calls.json
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import libwal
import pyperf
from asked import BATCH, READ, RECORD

PACKED = libwal.pack(BATCH)
LSN = READ // 2
Call = Callable[[libwal.Log], object]


@contextmanager
def new_log(directory: str, durability: libwal.Durability) -> Iterator[libwal.Log]:
    with (
        tempfile.TemporaryDirectory(dir=directory) as path,
        libwal.open(f"{path}/log", durability=durability) as log,
    ):
        yield log


def repeated(loops: int, directory: str, durability: libwal.Durability, call: Call) -> float:
    with new_log(directory, durability) as log:
        started = time.perf_counter()
        for _ in range(loops):
            call(log)
        return time.perf_counter() - started


def reading(loops: int, directory: str, call: Call) -> float:
    """The same with a log that has records."""
    with new_log(directory, libwal.Durability.BUFFERED) as log:
        for _ in range(READ // len(BATCH)):
            log.append_batch(BATCH)
        log.sync()
        started = time.perf_counter()
        for _ in range(loops):
            call(log)
        return time.perf_counter() - started


def tasks(loops: int, directory: str, count: int) -> float:
    """So many tasks, each of which waits for its append before the next."""

    async def one(log: libwal.Log) -> None:
        for _ in range(loops):
            await log.append_async(RECORD)

    async def all_of_them(log: libwal.Log) -> float:
        started = time.perf_counter()
        await asyncio.gather(*[one(log) for _ in range(count)])
        return time.perf_counter() - started

    with new_log(directory, libwal.Durability.DISK) as log:
        return asyncio.run(all_of_them(log))


def by_batches(log: libwal.Log) -> None:
    cursor = log.cursor()
    while cursor.read_batch(1000):
        pass


def by_arenas(log: libwal.Log) -> None:
    cursor = log.cursor()
    while len(cursor.read_arena()):
        pass


APPENDS: dict[str, tuple[int, Call]] = {
    "append": (1, lambda log: log.append(RECORD)),
    "append_batch of 1000": (len(BATCH), lambda log: log.append_batch(BATCH)),
    "append_packed of 1000": (len(BATCH), lambda log: log.append_packed(PACKED)),
}
READS: dict[str, tuple[int, Call]] = {
    "read by LSN": (1, lambda log: log.read(LSN)),
    "loop over a cursor": (READ, lambda log: sum(1 for _ in log.cursor())),
    "read_batch of 1000": (READ, by_batches),
    "read_arena": (READ, by_arenas),
}


def main() -> None:
    def hand_on(command: list[str], given: Any) -> None:
        command.extend(("--dir", given.dir))

    runner = pyperf.Runner(processes=5, values=3, add_cmdline_args=hand_on)
    runner.argparser.add_argument("--dir", default=".", help="on the disk to measure")
    directory = runner.parse_args().dir
    for durability in libwal.Durability:
        for name, (records, call) in APPENDS.items():
            work = partial(repeated, directory=directory, durability=durability, call=call)
            runner.bench_time_func(f"{name}, {durability.value}", work, inner_loops=records)
    for name, (records, call) in READS.items():
        work = partial(reading, directory=directory, call=call)
        runner.bench_time_func(name, work, inner_loops=records)
    for count in (256, 4096):
        work = partial(tasks, directory=directory, count=count)
        runner.bench_time_func(f"append_async, {count} tasks", work, inner_loops=count)


if __name__ == "__main__":
    main()
