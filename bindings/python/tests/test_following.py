"""Waiting at the tail, blocking and on an event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import libwal
import pytest


def test_nothing_in_time_is_a_timeout_error(log: libwal.Log) -> None:
    follower = log.follow()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        follower.next(0.12)
    assert 0.12 <= time.monotonic() - started < 5
    with pytest.raises(libwal.TimeoutError):
        follower.next(0)
    assert follower.try_next() is None
    assert follower.read_batch() == []


def test_a_follower_waits_for_what_is_appended(log: libwal.Log) -> None:
    log.append(b"before")
    follower = log.follow()
    timer = threading.Timer(0.1, log.append, (b"after",))
    timer.start()
    assert follower.next(10) == (2, b"after")
    timer.join()


def test_a_follower_from_the_first_record_gets_everything_once(log: libwal.Log) -> None:
    log.append_batch([b"%d" % n for n in range(1, 601)])
    follower = log.follow("first")

    def write() -> None:
        for n in range(601, 701):
            log.append(b"%d" % n, durability="os")
        log.sync()

    thread = threading.Thread(target=write)
    thread.start()
    seen = [next(follower) for _ in range(700)]
    thread.join()
    assert seen == [(n, b"%d" % n) for n in range(1, 701)]
    assert follower.next_lsn == 701


def test_a_waiting_follower_is_told_that_the_log_was_closed(path: Path) -> None:
    log = libwal.open(path)
    log.append(b"last")
    follower = log.follow("first")
    seen: list[bytes] = []
    ended: list[BaseException] = []

    def follow() -> None:
        try:
            for _, data in follower:
                seen.append(data)
        except libwal.ClosedError as error:
            ended.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(0.05)
    log.close()
    thread.join(10)
    assert (seen, len(ended)) == ([b"last"], 1)


def test_a_reader_follows_the_writer_of_another_handle(path: Path) -> None:
    with libwal.open(path) as log, libwal.open(path, read_only=True) as reader:
        follower = reader.follow()
        log.append(b"seen")
        assert follower.next(10) == (1, b"seen")
        with pytest.raises(libwal.InvalidError):
            reader.append(b"refused")


def test_a_loop_follows_and_a_cancelled_wait_loses_nothing(log: libwal.Log) -> None:
    async def follow() -> list[int]:
        follower = log.follow()
        seen: list[int] = []

        async def write() -> None:
            for _ in range(200):
                await log.append_async(b"x")

        writing = asyncio.create_task(write())
        while len(seen) < 200:
            try:
                # Most of these waits are given up at an arbitrary moment.
                async with asyncio.timeout(0.0007):
                    seen.append((await anext(follower)).lsn)
            except TimeoutError:
                continue
        await writing
        return seen

    assert asyncio.run(follow()) == list(range(1, 201))


def test_a_loop_that_follows_is_told_that_the_log_was_closed(path: Path) -> None:
    async def follow() -> list[libwal.Record]:
        log = libwal.open(path)
        seen: list[libwal.Record] = []

        async def close() -> None:
            await log.append_async(b"a")
            await asyncio.sleep(0.05)
            await log.close_async()

        closing = asyncio.create_task(close())
        with pytest.raises(libwal.ClosedError):
            async for record in log.follow("first"):
                seen.append(record)
        await closing
        return seen

    assert asyncio.run(follow()) == [(1, b"a")]


def test_many_loops_follow_one_log(log: libwal.Log) -> None:
    async def follow(count: int) -> int:
        follower = log.follow("first")
        return len([await anext(follower) for _ in range(count)])

    threads = [
        threading.Thread(target=lambda: counted.append(asyncio.run(follow(50)))) for _ in range(4)
    ]
    counted: list[int] = []
    for thread in threads:
        thread.start()
    for _ in range(50):
        log.append(b"x", durability="os")
    log.sync()
    for thread in threads:
        thread.join(20)
    assert counted == [50] * 4
