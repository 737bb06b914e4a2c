"""Reading: by LSN, by cursor, by callback."""

from __future__ import annotations

import copy
import datetime
import pickle
import sys
import threading
from pathlib import Path

import libwal
import pytest


@pytest.fixture
def filled(log: libwal.Log) -> libwal.Log:
    """A log of 1000 records, the n-th of which is the number n."""
    log.append_batch([b"%d" % n for n in range(1, 1001)])
    return log


def test_what_is_not_there_is_not_found(filled: libwal.Log) -> None:
    with pytest.raises(libwal.NotFoundError) as caught:
        filled.read(1001)
    assert caught.value.lsn == 1001
    with pytest.raises(LookupError):
        filled.cursor(1002)


def test_what_was_trimmed_tells_the_first_record_still_there(filled: libwal.Log) -> None:
    cursor = filled.cursor()
    assert filled.trim(11) == 11
    for read in (lambda: filled[5], lambda: filled.cursor(5), cursor.next):
        with pytest.raises(libwal.TrimmedError) as caught:
            read()
        assert caught.value.lsn == 11


def test_what_was_truncated_tells_the_last_record_still_there(filled: libwal.Log) -> None:
    cursor = filled.cursor("end")
    filled.truncate(10)
    with pytest.raises(libwal.TruncatedError) as caught:
        cursor.next()
    assert caught.value.lsn == 10
    assert filled.append(b"again") == 11
    assert cursor.next() == (11, b"again"), "the cursor goes on behind what was kept"


def test_an_iteration_that_was_truncated_away_says_so(filled: libwal.Log) -> None:
    cursor = filled.cursor()
    seen = [next(cursor).lsn for _ in range(5)]
    filled.truncate(100)
    with pytest.raises(libwal.TruncatedError):
        seen.extend(record.lsn for record in cursor)
    assert seen == list(range(1, len(seen) + 1)), "what was read ahead is delivered before"


def test_start_and_from_time_exclude_each_other(filled: libwal.Log) -> None:
    with pytest.raises(libwal.InvalidError, match="from_time"):
        filled.cursor(1, from_time=5)
    with pytest.raises(libwal.InvalidError, match="first, end"):
        filled.cursor("middle")  # type: ignore[arg-type]


def test_a_loop_gives_every_record_once_in_order(filled: libwal.Log) -> None:
    assert [(lsn, data) for lsn, data in filled] == [(n, b"%d" % n) for n in range(1, 1001)]


def test_a_loop_goes_back_from_the_end_or_from_a_place(filled: libwal.Log) -> None:
    assert [lsn for lsn, _ in filled.cursor(reverse=True)] == list(range(1000, 0, -1))
    assert [lsn for lsn, _ in filled.cursor(5, reverse=True)] == [4, 3, 2, 1]


def test_steps_and_loops_may_be_mixed(filled: libwal.Log) -> None:
    cursor = filled.cursor(500)
    assert next(cursor).lsn == 500
    assert cursor.next_lsn == 501
    assert cursor.prev() == (500, b"500")
    assert cursor.prev() == (499, b"499")
    assert [next(cursor).lsn for _ in range(3)] == [499, 500, 501]
    assert cursor.next() == (502, b"502")
    backwards = filled.cursor(500, reverse=True)
    assert next(backwards).lsn == 499
    assert backwards.next() == (499, b"499")
    assert next(backwards).lsn == 499


def test_a_loop_that_ended_goes_on_where_more_was_appended(filled: libwal.Log) -> None:
    cursor = filled.cursor("end")
    assert list(cursor) == []
    filled.append(b"more")
    assert list(cursor) == [(1001, b"more")]


def test_a_batch_read_takes_as_many_as_asked_for(filled: libwal.Log) -> None:
    cursor = filled.cursor()
    assert [record.lsn for record in cursor.read_batch(10)] == list(range(1, 11))
    assert cursor.next_lsn == 11
    assert len(cursor.read_batch(5000)) == 990
    assert cursor.read_batch(10) == []


def test_a_batch_read_is_bounded_by_bytes_but_gives_at_least_one(log: libwal.Log) -> None:
    log.append_batch([bytes(1000)] * 10)
    cursor = log.cursor()
    assert len(cursor.read_batch(10, bytes_max=1)) == 1
    assert len(cursor.read_batch(10, bytes_max=2500)) == 3
    assert len(cursor.read_batch(10)) == 6


def test_an_arena_holds_the_same_records_in_one_piece(filled: libwal.Log) -> None:
    arena = filled.cursor(991).read_arena()
    assert (len(arena), arena.first_lsn) == (10, 991)
    assert arena.data == b"".join(b"%d" % n for n in range(991, 1001))
    assert bytes(arena[0]) == b"991"
    assert bytes(arena[-1]) == b"1000"
    assert arena.offsets.tolist()[:2] == [0, 3]
    assert [bytes(arena[n]) for n in range(10)] == [b"%d" % n for n in range(991, 1001)]
    for outside in (10, -11):
        with pytest.raises(IndexError):
            arena[outside]


def test_the_views_of_an_arena_outlive_it_and_its_log(path: Path) -> None:
    with libwal.open(path) as log:
        log.append(b"kept")
        view = log.cursor().read_arena()[0]
    del log
    assert bytes(view) == b"kept"
    assert view.readonly


def test_an_arena_at_the_end_is_empty(filled: libwal.Log) -> None:
    arena = filled.cursor("end").read_arena()
    assert (len(arena), arena.first_lsn, arena.data) == (0, None, b"")


def test_a_record_is_a_pair_with_names(log: libwal.Log) -> None:
    log.append_batch([b"a", b"b"])
    first, second = log.cursor()
    assert (first.lsn, first.data, first.batch_continues) == (1, b"a", True)
    assert second.batch_continues is False
    match second:
        case libwal.Record(lsn, data):
            assert (lsn, data) == (2, b"b")
    assert repr(first) == "libwal.Record(lsn=1, data=b'a')"
    again = pickle.loads(pickle.dumps(first))
    assert (again, again.batch_continues) == (first, True)
    assert copy.copy(first) == (1, b"a")
    with pytest.raises(AttributeError):
        first.lsn = 5  # type: ignore[misc]


def test_records_do_not_leak(filled: libwal.Log) -> None:
    data = filled.cursor(1000).read_batch(1)[0].data
    assert sys.getrefcount(data) == 2
    for _ in range(3):
        for _record in filled:
            pass
    assert sys.getrefcount(libwal.Record) < 50 + sys.getrefcount(libwal.Cursor)


def test_many_are_read_by_their_lsns(filled: libwal.Log) -> None:
    assert filled.read_many([5, 1000, 5]) == [(5, b"5"), (1000, b"1000"), (5, b"5")]
    assert filled.read_many([]) == []
    with pytest.raises(libwal.NotFoundError):
        filled.read_many([1, 1001])


def test_records_are_found_by_their_commit_time(log: libwal.Log) -> None:
    for second in (100, 200, 300):
        log.append(b"%d" % second, time=second * 10**9)
    assert log.cursor(from_time=150 * 10**9).next() == (2, b"200")
    moment = datetime.datetime.fromtimestamp(300, datetime.UTC)
    cursor = log.cursor(from_time=moment)
    assert cursor.next() == (3, b"300")
    assert cursor.time() == 300 * 10**9
    cursor.seek(from_time=0)
    assert [cursor.next() and cursor.time() for _ in range(2)] == [100 * 10**9, 200 * 10**9]
    cursor.seek(from_time=301 * 10**9)
    assert cursor.next() is None


def test_the_time_of_no_record_is_invalid(filled: libwal.Log) -> None:
    with pytest.raises(libwal.InvalidError):
        filled.cursor().time()


def test_threads_share_a_cursor_without_a_duplicate(filled: libwal.Log) -> None:
    cursor = filled.cursor()
    seen: list[int] = []

    def read() -> None:
        seen.extend(record.lsn for record in cursor)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 1001))


def test_a_replay_stops_where_the_callback_says_false(filled: libwal.Log) -> None:
    seen: list[int] = []

    def look(record: libwal.Record) -> bool:
        seen.append(record.lsn)
        return record.lsn < 300

    assert filled.replay(look) == 300
    assert seen == list(range(1, 301))
    assert filled.replay(lambda record: None, 999) == 1000
    assert filled.replay(lambda record: None, "end") is None


def test_the_exception_of_a_callback_ends_the_replay(filled: libwal.Log) -> None:
    def fail(record: libwal.Record) -> None:
        if record.lsn == 500:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        filled.replay(fail)
    for in_order in (True, False):
        with pytest.raises(ZeroDivisionError):
            filled.replay_parallel(fail, threads=2, in_order=in_order)


def test_a_callback_may_use_the_log(filled: libwal.Log) -> None:
    def look(record: libwal.Record) -> bool:
        assert filled[record.lsn] == record.data
        filled.append(b"from within", durability="buffered")
        return record.lsn < 100

    assert filled.replay(look) == 100
    assert filled.next_lsn == 1101


def test_a_parallel_replay_delivers_everything_once(path: Path) -> None:
    with libwal.open(path, segment_bytes=65536) as log:
        log.append_batch([b"%d" % n for n in range(1, 20_001)])
        seen: list[int] = []
        assert log.replay_parallel(lambda record: seen.append(record.lsn), threads=3) == 20_000
        assert seen == list(range(1, 20_001)), "in order"
        seen.clear()
        log.replay_parallel(lambda record: seen.append(record.lsn), threads=3, in_order=False)
        assert sorted(seen) == list(range(1, 20_001))
