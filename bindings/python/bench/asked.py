"""How `wal-bench languages` asks, and the size of what it asks for (see bench/README.md).

It writes lines `WORKLOAD DIRECTORY` and reads `RECORDS NANOSECONDS` or `none`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter_ns

RECORD = b"r" * 100
BATCH = [RECORD] * 1000
BURST = 20_000
BURSTS = 20
READ = 100_000
PASSES = 3
OS = 20_000
DURABLE = 300
DURABLE_BATCHES = 50
ASYNC = 40_000
IN_FLIGHT = 256

# How many records, and the nanoseconds they took.
Answer = tuple[int, int]


def timed(records: int, work: Callable[[], None]) -> Answer:
    started = perf_counter_ns()
    work()
    return records, perf_counter_ns() - started


def serve(measured: Callable[[str, str], Answer | None]) -> None:
    """Answers until nothing more is asked."""
    for line in sys.stdin:
        workload, directory = line.rstrip("\n").split(" ", 1)
        answer = measured(workload, directory)
        print("none" if answer is None else f"{answer[0]} {answer[1]}", flush=True)
