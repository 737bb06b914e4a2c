"""Appending: what is accepted, what is refused, and what is there afterwards."""

from __future__ import annotations

import array
import datetime
import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libwal
import pytest

WRONG_RECORDS = ["text", None, 5, 1.5, [b"a"], {}, object(), (1, 2)]


@pytest.mark.parametrize("wrong", WRONG_RECORDS, ids=repr)
def test_what_is_no_bytes_is_a_type_error_and_appends_nothing(
    log: libwal.Log, wrong: object
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: log.append(wrong),  # type: ignore[arg-type]
        lambda: log.append_at(1, wrong),  # type: ignore[arg-type]
        lambda: log.submit(wrong),  # type: ignore[arg-type]
        lambda: log.append_batch([b"fine", wrong]),  # type: ignore[list-item]
        lambda: log.submit_batch([wrong]),  # type: ignore[list-item]
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
    assert log.next_lsn == 1


@pytest.mark.parametrize("wrong", [b"ab", "ab", None, 5])
def test_a_batch_that_is_no_list_of_records_is_a_type_error(log: libwal.Log, wrong: object) -> None:
    with pytest.raises(TypeError):
        log.append_batch(wrong)  # type: ignore[arg-type]
    assert log.next_lsn == 1


@pytest.mark.parametrize("wrong", [0, -1, 2**63, 2**64, 2**80])
def test_a_number_that_is_no_lsn_is_an_invalid_error(log: libwal.Log, wrong: int) -> None:
    for call in (log.read, log.trim, log.truncate, log.reset_to, log.time_of):
        with pytest.raises(libwal.InvalidError):
            call(wrong)
    with pytest.raises(ValueError, match=r"LSN|lsn"):
        log[wrong]


@pytest.mark.parametrize("wrong", ["1", 1.0, None, True])
def test_what_is_no_number_is_a_type_error_for_an_lsn(log: libwal.Log, wrong: object) -> None:
    with pytest.raises(TypeError):
        log.read(wrong)  # type: ignore[arg-type]


def test_an_empty_batch_is_refused(log: libwal.Log) -> None:
    with pytest.raises(libwal.InvalidError):
        log.append_batch([])


def test_a_record_over_the_limit_is_refused(path: Path) -> None:
    with libwal.open(path, record_bytes_max=100) as log:
        with pytest.raises(libwal.InvalidError):
            log.append(bytes(101))
        assert log.append(bytes(100)) == 1


def test_an_unknown_durability_is_refused_by_name(log: libwal.Log) -> None:
    with pytest.raises(libwal.InvalidError, match="disk, os, buffered"):
        log.append(b"", durability="memory")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        log.append(b"", durability=3)  # type: ignore[arg-type]


def test_a_packed_batch_that_is_cut_is_refused_with_the_place(log: libwal.Log) -> None:
    packed = libwal.pack([b"first", b"second"])
    with pytest.raises(libwal.InvalidError, match="byte 24"):
        log.append_packed(packed[:-1])
    assert list(log.append_packed(packed)) == [1, 2]


def test_lsns_are_dense_whatever_the_call(log: libwal.Log) -> None:
    assert log.append(b"a") == 1
    assert log.append_batch([b"b", b"c"]) == range(2, 4)
    assert log.submit(b"d").wait() == range(4, 5)
    assert log.submit_batch([b"e", b"f"]).lsns == range(5, 7)
    assert log.append_at(7, b"g") == 7
    assert log.append_packed(libwal.pack([b"h"])) == range(8, 9)
    assert [data for _, data in log] == [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"]


def test_every_bytes_like_object_is_accepted(log: libwal.Log) -> None:
    numbers = array.array("i", [1, 2, 3])
    backwards = memoryview(b"abc")[::-1]
    given: list[Any] = [bytearray(b"x"), memoryview(b"yz"), numbers, backwards]
    for record in given:
        log.append(record)
    log.append_batch(given)
    expected = [bytes(record) for record in (b"x", b"yz", numbers.tobytes(), b"cba")]
    assert [data for _, data in log] == expected * 2


def test_a_batch_is_a_list_or_a_tuple(log: libwal.Log) -> None:
    assert log.append_batch((b"a", b"b")) == range(1, 3)
    for wrong in ((b"%d" % n for n in range(3)), {b"a"}, {b"a": b"b"}, iter([b"a"])):
        with pytest.raises(TypeError, match="list or tuple"):
            log.append_batch(wrong)  # type: ignore[arg-type]
    assert log.next_lsn == 3


def test_empty_and_huge_records_come_back(log: libwal.Log) -> None:
    huge = bytes(range(256)) * (40 << 12)
    log.append(b"")
    log.append(huge)
    log.append_batch([b"", huge, b""])
    assert [len(data) for _, data in log] == [0, len(huge), 0, len(huge), 0]
    assert log[2] == huge


def test_a_conflict_tells_the_next_lsn_and_appends_nothing(log: libwal.Log) -> None:
    log.append(b"a")
    with pytest.raises(libwal.ConflictError) as caught:
        log.append_at(1, b"b")
    assert caught.value.lsn == 2
    assert log.last_lsn == 1


def test_a_record_that_changes_while_it_is_appended_is_one_of_its_states(log: libwal.Log) -> None:
    # The copy is made with the GIL, so that no other thread's bytecode comes between.
    record = bytearray(b"a" * 4096)
    is_over = threading.Event()

    def change() -> None:
        while not is_over.is_set():
            record[:] = b"a" * 4096
            record[:] = b"b" * 4096

    thread = threading.Thread(target=change)
    thread.start()
    for _ in range(300):
        log.append(record, durability="buffered")
    is_over.set()
    thread.join()
    assert {data for _, data in log} <= {b"a" * 4096, b"b" * 4096}
    record.extend(b"may be resized: nobody holds the buffer")


def test_a_list_that_changes_while_it_is_appended_harms_nothing(log: libwal.Log) -> None:
    records = [b"%d" % n for n in range(1000)]
    is_over = threading.Event()

    def change() -> None:
        while not is_over.is_set():
            records.pop()
            records.insert(0, bytes(100))
            gc.collect(0)

    thread = threading.Thread(target=change)
    thread.start()
    lengths = {len(log.append_batch(records, durability="os")) for _ in range(50)}
    is_over.set()
    thread.join()
    assert lengths <= {999, 1000}


def test_threads_share_a_log_without_a_gap_or_a_duplicate(log: libwal.Log) -> None:
    lsns: list[int] = []

    def write() -> None:
        lsns.extend(log.append(b"x") for _ in range(50))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lsns) == list(range(1, 401))


def test_other_threads_run_while_one_waits_for_the_disk(log: libwal.Log) -> None:
    counted = 0
    is_over = threading.Event()

    def count() -> None:
        nonlocal counted
        while not is_over.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(20):
        log.append(b"x")
    is_over.set()
    thread.join()
    assert counted > 1000


def test_a_commit_time_may_be_given(log: libwal.Log) -> None:
    moment = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)
    log.append(b"a", time=moment)
    log.append(b"b", time=1_600_000_000_000_000_000)
    before = time.time_ns()
    log.append(b"c")
    assert log.time_of(1) == 1_577_923_200 * 10**9
    assert log.time_of(2) == 1_600_000_000 * 10**9
    assert before <= log.time_of(3) <= time.time_ns()


def test_a_full_log_refuses_blocks_or_times_out_as_told(path: Path) -> None:
    options = {"segment_bytes": 65536, "max_bytes": 131072}
    with libwal.open(path, **options) as log:  # type: ignore[arg-type]
        with pytest.raises(libwal.FullError):
            while True:
                log.append(bytes(8192), durability="os")
    with libwal.open(path, at_capacity="block", **options) as log:  # type: ignore[arg-type]
        with pytest.raises(libwal.WouldBlockError):
            log.append(bytes(8192), timeout=0)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            log.append(bytes(8192), timeout=datetime.timedelta(milliseconds=120))
        assert time.monotonic() - started >= 0.12
        assert log.last_lsn is not None
        last = log.last_lsn
        threading.Timer(0.1, log.trim, (last + 1,)).start()
        assert log.append(bytes(8192)) == last + 1


def test_a_ticket_tells_when_its_append_is_done(log: libwal.Log) -> None:
    ticket = log.submit(b"a")
    assert ticket.lsn == 1
    assert ticket.wait(10) == range(1, 2)
    assert ticket.done()
    assert ticket.wait() == range(1, 2), "it may be waited for again"
    assert log.durable_lsn == 1


def test_a_lower_durability_becomes_durable_with_sync(log: libwal.Log) -> None:
    log.append(b"a", durability=libwal.Durability.BUFFERED)
    log.append(b"b", durability="os")
    assert log.sync() == 2
    assert log.durable_lsn == 2
    assert log.wait_durable(2, 0) == 2


def test_waiting_for_what_does_not_come_times_out(log: libwal.Log) -> None:
    started = time.monotonic()
    with pytest.raises(libwal.TimeoutError):
        log.wait_durable(1, 0.15)
    assert 0.15 <= time.monotonic() - started < 5
