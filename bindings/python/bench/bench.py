"""Measures the package beside what its users would pick otherwise, at equal durability.

    python bench.py --json results.json [--full]

Each figure is the median of several runs in one process, in nanoseconds for each record, because
a disk's syncs differ more between moments than interpreters do. Everything lies in one directory
(`--dir`), so that all of it is measured on the same disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import libwal
import peers

RECORD = b"x" * 100
BATCH = [RECORD] * 1000
IN_FLIGHT = 256
IN_FLIGHT_MANY = 4096

# Takes how many records to handle, returns how many it handled.
Work = Callable[[int], int]


class Bench:
    """Runs workloads and keeps what they took."""

    def __init__(self, directory: Path, *, full: bool) -> None:
        self.directory = directory
        self.runs = 7 if full else 3
        self.seconds = 1.0 if full else 0.25
        self.results: list[dict[str, object]] = []

    def measure(self, subject: str, workload: str, durability: str, work: Work) -> None:
        """Notes the median of several runs, each about as long as the others."""
        count = self._calibrated(work)
        spans = []
        for _ in range(self.runs):
            started = time.perf_counter()
            handled = work(count)
            spans.append((time.perf_counter() - started) / handled * 1e9)
        nanoseconds = statistics.median(spans)
        self.results.append(
            {
                "subject": subject,
                "workload": workload,
                "durability": durability,
                "ns_per_record": round(nanoseconds, 1),
                "records_per_s": round(1e9 / nanoseconds),
                "runs": [round(span, 1) for span in spans],
            }
        )
        told = f"{subject:14} {workload:34} {durability:9} {nanoseconds:12,.0f} ns"
        print(f"{told} {1e9 / nanoseconds:12,.0f}/s", flush=True)

    def _calibrated(self, work: Work) -> int:
        count = 1
        while True:
            started = time.perf_counter()
            work(count)
            span = time.perf_counter() - started
            if span >= self.seconds / 5 or count >= 1 << 22:
                return max(1, int(count * self.seconds / max(span, 1e-9)))
            count *= 4

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A directory that is gone afterwards."""
        path = Path(tempfile.mkdtemp(dir=self.directory))
        try:
            yield path
        finally:
            shutil.rmtree(path)


def appends(bench: Bench) -> None:
    for durability in ("disk", "os", "buffered"):
        with bench.place() as path, libwal.open(path / "log", durability=durability) as log:

            def single(count: int, log: libwal.Log = log) -> int:
                for _ in range(count):
                    log.append(RECORD)
                return count

            def batch(count: int, log: libwal.Log = log) -> int:
                batches = -(-count // len(BATCH))
                for _ in range(batches):
                    log.append_batch(BATCH)
                return batches * len(BATCH)

            packed = libwal.pack(BATCH)

            def batch_packed(count: int, log: libwal.Log = log, packed: bytes = packed) -> int:
                batches = -(-count // len(BATCH))
                for _ in range(batches):
                    log.append_packed(packed)
                return batches * len(BATCH)

            bench.measure("libwal", "append", durability, single)
            bench.measure("libwal", "append_batch of 1000", durability, batch)
            bench.measure("libwal", "append_packed of 1000", durability, batch_packed)


def in_flight(bench: Bench) -> None:
    async def window(log: libwal.Log, count: int, wide: int = IN_FLIGHT) -> int:
        futures: deque[asyncio.Future[int]] = deque()
        for _ in range(count):
            if len(futures) >= wide:
                await futures.popleft()
            futures.append(log.append_async(RECORD))
        await asyncio.gather(*futures)
        return count

    async def tasks(log: libwal.Log, count: int) -> int:
        async def one(times: int) -> None:
            for _ in range(times):
                await log.append_async(RECORD)

        times = -(-count // IN_FLIGHT)
        await asyncio.gather(*[one(times) for _ in range(IN_FLIGHT)])
        return times * IN_FLIGHT

    with bench.place() as path, libwal.open(path / "log") as log, asyncio.Runner() as runner:
        for name, work in (("window", window), ("tasks", tasks)):
            bench.measure(
                "libwal",
                f"append_async, {IN_FLIGHT} in flight, {name}",
                "disk",
                lambda count, work=work: runner.run(work(log, count)),  # type: ignore[misc]
            )
        # Enough to keep the processor and not the disk busy.
        bench.measure(
            "libwal",
            f"append_async, {IN_FLIGHT_MANY} in flight, window",
            "disk",
            lambda count: runner.run(window(log, count, IN_FLIGHT_MANY)),
        )


def reads(bench: Bench) -> None:
    records = 500_000
    with bench.place() as path:
        with libwal.open(path / "log", durability="buffered") as log:
            for _ in range(records // len(BATCH)):
                log.append_batch(BATCH)
        for mode in ("pread", "map"):
            with libwal.open(path / "log", read_only=True, read_mode=mode) as log:

                def loop(count: int, log: libwal.Log = log) -> int:
                    handled = 0
                    while handled < count:
                        for _ in log.cursor():
                            handled += 1
                    return handled

                def batches(count: int, log: libwal.Log = log) -> int:
                    handled = 0
                    while handled < count:
                        cursor = log.cursor()
                        while found := cursor.read_batch(1000):
                            handled += len(found)
                    return handled

                def arenas(count: int, log: libwal.Log = log) -> int:
                    handled = 0
                    while handled < count:
                        cursor = log.cursor()
                        while found := len(cursor.read_arena()):
                            handled += found
                    return handled

                def single(count: int, log: libwal.Log = log) -> int:
                    for n in range(count):
                        log.read(n % records + 1)
                    return count

                bench.measure("libwal", f"loop over a cursor, {mode}", "-", loop)
                bench.measure("libwal", f"read_batch of 1000, {mode}", "-", batches)
                bench.measure("libwal", f"read_arena of 1 MiB, {mode}", "-", arenas)
                bench.measure("libwal", f"read by LSN, {mode}", "-", single)


def others(bench: Bench) -> None:
    for make in peers.ALL:
        with bench.place() as path:
            peer = make(path)
            bench.measure(peer.name, "append", "disk", peer.append)
            bench.measure(peer.name, "append_batch of 1000", "disk", peer.append_batch)
            bench.measure(peer.name, "read everything", "-", peer.read)
            peer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--dir", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--full", action="store_true", help="longer and more often")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as directory:
        bench = Bench(Path(directory), full=given.full)
        for part in (appends, in_flight, reads, others):
            part(bench)
    if given.json:
        about = {
            "language": "python",
            "libwal": libwal.__version__,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "processors": os.cpu_count(),
            "record_bytes": len(RECORD),
        }
        given.json.write_text(json.dumps({**about, "results": bench.results}, indent=1) + "\n")
        print(f"written to {given.json}", file=sys.stderr)


if __name__ == "__main__":
    main()
