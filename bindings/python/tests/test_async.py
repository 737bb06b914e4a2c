"""Appending on an event loop: no thread per call, order, cancelling, back-pressure."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from pathlib import Path

import libwal
import pytest


def test_without_a_running_loop_there_is_no_async_append(log: libwal.Log) -> None:
    with pytest.raises(RuntimeError):
        log.append_async(b"x")
    assert log.next_lsn == 1


def test_wrong_records_are_type_errors_at_once(log: libwal.Log) -> None:
    async def append() -> None:
        with pytest.raises(TypeError):
            log.append_async("text")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            log.append_batch_async([b"a", None])  # type: ignore[list-item]
        with pytest.raises(libwal.InvalidError):
            await log.append_batch_async([])

    asyncio.run(append())
    assert log.next_lsn == 1


def test_records_get_their_places_in_the_order_of_the_calls(log: libwal.Log) -> None:
    async def append() -> list[int]:
        futures = [log.append_async(b"%d" % n) for n in range(1, 1001)]
        return await asyncio.gather(*futures)

    assert asyncio.run(append()) == list(range(1, 1001))
    assert log.durable_lsn == 1000
    assert [data for _, data in log] == [b"%d" % n for n in range(1, 1001)]


def test_batches_and_tickets_are_awaited_too(log: libwal.Log) -> None:
    async def append() -> None:
        assert await log.append_batch_async([b"%d" % n for n in range(3)]) == range(1, 4)
        ticket = log.submit(b"x")
        assert await ticket == range(4, 5)
        assert await ticket == range(4, 5)
        assert await log.append_async(b"y", durability="os") == 5
        assert await log.sync_async() == 5

    asyncio.run(append())


def test_a_cancelled_append_goes_on(log: libwal.Log) -> None:
    async def append() -> None:
        future = log.append_async(b"cancelled")
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        task = asyncio.create_task(wait(log.append_async(b"task cancelled")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await log.append_async(b"next") == 3

    async def wait(future: asyncio.Future[int]) -> int:
        return await future

    asyncio.run(append())
    assert [data for _, data in log] == [b"cancelled", b"task cancelled", b"next"]


def test_a_record_may_be_changed_once_the_call_has_returned(path: Path) -> None:
    # A ring this small is full at once: later records wait in the queue, and must be copies too.
    async def append() -> None:
        with libwal.open(path, ring_bytes=65536) as log:
            record = bytearray(8192)
            futures = []
            for n in range(100):
                record[:] = bytes([n]) * 8192
                futures.append(log.append_async(record))
            assert await asyncio.gather(*futures) == list(range(1, 101))
            for lsn, data in log:
                assert data == bytes([lsn - 1]) * 8192

    asyncio.run(append())


def test_a_full_ring_keeps_the_order_and_does_not_keep_the_loop(path: Path) -> None:
    async def append() -> None:
        with libwal.open(path, ring_bytes=65536) as log:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.001)
                    ticks += 1

            ticking = asyncio.create_task(tick())
            futures: list[asyncio.Future[int] | asyncio.Future[range]] = []
            for n in range(300):
                futures.append(log.append_async(b"%d" % n + bytes(4000)))
                futures.append(log.append_batch_async([b"%d" % n + bytes(2000)] * 2))
            lsns: list[int] = []
            for future in futures:
                got = await future
                lsns.extend([got] if isinstance(got, int) else got)
            assert lsns == list(range(1, 901))
            ticking.cancel()
            assert ticks > 0

    asyncio.run(append())


def test_one_that_waits_for_room_can_be_cancelled_and_is_not_appended(path: Path) -> None:
    async def append() -> None:
        options = {"segment_bytes": 65536, "max_bytes": 131072, "at_capacity": "block"}
        with libwal.open(path, **options) as log:  # type: ignore[arg-type]
            futures = [log.append_async(bytes(8192)) for _ in range(40)]
            await asyncio.sleep(0.2)
            done = sum(future.done() for future in futures)
            assert 0 < done < 40, "the others wait for a trim"
            for future in futures:
                future.cancel()
            await asyncio.sleep(0)
            last = log.next_lsn - 1
            log.trim(last)
            assert await log.append_async(b"x") == last + 1

    asyncio.run(append())


def test_errors_come_through_the_future(path: Path) -> None:
    async def append() -> None:
        options = {"segment_bytes": 65536, "max_bytes": 131072}
        with libwal.open(path, **options) as log:  # type: ignore[arg-type]
            with pytest.raises(libwal.FullError):
                await asyncio.gather(*[log.append_async(bytes(8192)) for _ in range(100)])

    asyncio.run(append())


def test_one_log_serves_one_loop_after_the_other_and_several_at_once(log: libwal.Log) -> None:
    async def append(count: int) -> list[int]:
        return await asyncio.gather(*[log.append_async(b"x") for _ in range(count)])

    for _ in range(5):
        asyncio.run(append(10))
    lsns: list[int] = []
    threads = [
        threading.Thread(target=lambda: lsns.extend(asyncio.run(append(100)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lsns) == list(range(51, 451))


def test_loops_and_descriptors_are_let_go(path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def append() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        async with libwal.open(path) as log:
            await log.append_async(b"x")

    asyncio.run(append())
    gc.collect()
    before = descriptors()
    for _ in range(5):
        asyncio.run(append())
    gc.collect()
    assert descriptors() <= before
    assert [loop for loop in loops if loop() is not None] == []


def test_a_long_running_loop_lets_go_of_closed_logs(tmp_path: Path) -> None:
    async def append() -> None:
        before = len(os.listdir("/proc/self/fd"))
        for n in range(10):
            async with await libwal.open_async(tmp_path / str(n)) as log:
                await log.append_async(b"x")
            del log
            await asyncio.sleep(0)
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) <= before + 1

    asyncio.run(append())


def test_a_log_closed_with_appends_in_flight_settles_all_of_them(path: Path) -> None:
    async def append() -> None:
        log = libwal.open(path)
        futures = [log.append_async(b"x") for _ in range(500)]
        await log.close_async()
        assert await asyncio.gather(*futures) == list(range(1, 501))
        with pytest.raises(libwal.ClosedError):
            log.append_async(b"late")

    asyncio.run(append())
