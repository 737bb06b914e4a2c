"""Nothing a program does with a log crashes or hangs the interpreter."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import libwal
import pytest
from conftest import RunPython

Start = Callable[..., "subprocess.Popen[str]"]


def test_every_call_on_a_closed_log_is_a_closed_error(path: Path) -> None:
    log = libwal.open(path)
    log.append(b"a")
    cursor, follower, values = log.cursor("end"), log.follow(), log.values
    ticket = log.submit(b"b")
    log.close()
    log.close()
    assert log.closed
    assert follower.next(1) == (2, b"b"), "what became visible is still told"
    calls: list[Callable[[], object]] = [
        lambda: log.append(b""),
        lambda: log.append(b"", durability="buffered"),
        lambda: log.append_batch([b""]),
        lambda: log.append_packed(libwal.pack([b""])),
        lambda: log.append_at(1, b""),
        lambda: log.submit(b""),
        lambda: log.submit_batch([b""]),
        lambda: log.wait_durable(99),
        log.sync,
        lambda: log.read(1),
        lambda: log[1],
        lambda: log.read_many([1]),
        lambda: log.time_of(1),
        log.cursor,
        lambda: list(log),
        log.follow,
        lambda: log.replay(print),
        lambda: log.replay_parallel(print),
        lambda: log.trim(1),
        lambda: log.truncate(1),
        lambda: log.reset_to(1),
        lambda: log.copy_to(path.parent / "copy"),
        log.notifier,
        lambda: values.get(b"k"),
        lambda: values.update({b"k": b"v"}),
        lambda: cursor.seek("first"),
        lambda: follower.next(1),
        follower.try_next,
    ]
    for number, call in enumerate(calls):
        try:
            call()
        except libwal.ClosedError:
            continue
        pytest.fail(f"call {number} succeeded")
    assert ticket.wait() == range(2, 3), "what was in flight is durable"
    assert log.path == path
    assert "closed" in repr(log)


def test_records_outlive_their_log(path: Path) -> None:
    with libwal.open(path) as log:
        log.append(b"kept")
        record = log.cursor().next()
    libwal.destroy(path)
    assert record == (1, b"kept")


def test_closing_while_others_append_read_and_wait_ends_all_of_them(path: Path) -> None:
    log = libwal.open(path)
    ended: list[type[BaseException]] = []

    def until_closed(call: Callable[[], object]) -> None:
        try:
            while True:
                call()
        except libwal.WalError as error:
            ended.append(type(error))

    follower = log.follow()
    calls: list[Callable[[], object]] = [
        lambda: log.append(b"x"),
        lambda: log.append(b"x", durability="buffered"),
        lambda: log.append_batch([b"x"] * 10),
        lambda: log.submit(b"x").wait(),
        lambda: log.cursor().read_batch(),
        lambda: next(follower),
        lambda: log.wait_durable(10**15),
        lambda: log.values.update({b"k": b"v"}),
    ]
    threads = [threading.Thread(target=until_closed, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    closers = [threading.Thread(target=log.close) for _ in range(3)]
    for closer in closers:
        closer.start()
    for thread in threads + closers:
        thread.join(20)
        assert not thread.is_alive()
    assert ended == [libwal.ClosedError] * len(calls)
    assert libwal.verify(path).findings == []


def test_a_log_that_is_dropped_warns_and_is_closed(path: Path) -> None:
    log = libwal.open(path)
    log.append(b"a", durability="buffered")
    with pytest.warns(ResourceWarning, match="unclosed log"):
        del log
        gc.collect()
    with libwal.open(path, lock_wait=5) as log:
        assert log.recovery.case == "clean"
        assert log[1] == b"a"


def test_a_log_that_is_dropped_in_a_cycle_is_closed_too(path: Path) -> None:
    log = libwal.open(path)
    log.itself = log  # type: ignore[attr-defined]
    cursor, ticket = log.cursor(), log.submit(b"x")
    log.others = (cursor, ticket)  # type: ignore[attr-defined]
    with pytest.warns(ResourceWarning):
        del log, cursor, ticket
        gc.collect()
    libwal.open(path, lock_wait=5).close()


def test_a_log_that_could_not_be_opened_warns_of_nothing(path: Path) -> None:
    with libwal.open(path), warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(libwal.LockedError):
            libwal.open(path)
        gc.collect()


def test_the_lock_is_waited_for(path: Path) -> None:
    log = libwal.open(path)
    threading.Timer(0.3, log.close).start()
    libwal.open(path, lock_wait=20).close()


def test_logs_and_cursors_cannot_be_pickled_or_copied(log: libwal.Log) -> None:
    for thing in (log, log.cursor(), log.follow(), log.submit(b"x")):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.copy(thing)


def test_native_classes_cannot_be_made_by_hand() -> None:
    for kind in (libwal.Cursor, libwal.Follower, libwal.Ticket, libwal.Arena, libwal.Notifier):
        with pytest.raises(TypeError):
            kind()


def test_a_forked_child_is_refused_and_does_no_harm(path: Path, run_python: RunPython) -> None:
    done = run_python(
        """
        import gc, os, sys, warnings
        import libwal
        log = libwal.open(sys.argv[1])
        log.append(b"parent")
        cursor, follower = log.cursor(), log.follow("first")
        child = os.fork()
        if child == 0:
            code = 0
            calls = [lambda: log.append(b"child"), log.sync, lambda: log[1], log.cursor,
                     cursor.next, lambda: follower.next(1), lambda: log.values.get(b"k"),
                     lambda: log.append(b"child", durability="buffered"), log.close]
            for number, call in enumerate(calls):
                try:
                    call()
                    code = number + 1
                except libwal.ForkedError:
                    pass
            del log, cursor, follower
            warnings.simplefilter("ignore")
            gc.collect()
            with libwal.open(sys.argv[1] + "-child") as own:
                own.append(b"of its own")
            sys.exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert log.append(b"parent again") == 2
        log.close()
        """,
        path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with libwal.open(path) as log:
        assert [data for _, data in log] == [b"parent", b"parent again"]
    with libwal.open(f"{path}-child") as log:
        assert log[1] == b"of its own"


def _worker(path: Path) -> int:
    with libwal.open(path, lock_wait=30) as log:
        return log.append(str(os.getpid()).encode())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_processes_take_turns_with_one_log(path: Path, method: str) -> None:
    with multiprocessing.get_context(method).Pool(3) as pool:
        lsns = pool.map(_worker, [path] * 6, chunksize=1)
    assert sorted(lsns) == [1, 2, 3, 4, 5, 6]


WAITS = {
    "follow": "log.follow().next()",
    "iterate": "for _ in log.follow(): pass",
    "wait_durable": "log.wait_durable(10)",
    "lock": "libwal.open(sys.argv[1], lock_wait=100)",
    "full": "while True: full.append(bytes(8192), durability='os')",
    "async": """
            import asyncio
            async def main():
                async for _ in log.follow(): pass
            asyncio.run(main())""",
    "replay": "log.append_batch([b'x'] * 300); log.replay(lambda r: time.sleep(0.05))",
    "parallel": """
            log.append_batch([b'x'] * 300)
            log.replay_parallel(lambda r: time.sleep(0.05), threads=2)""",
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_ctrl_c_ends_every_wait(path: Path, start_python: Start, wait: str) -> None:
    process = start_python(
        f"""
        import sys, time, libwal
        log = libwal.open(sys.argv[1])
        full = libwal.open(sys.argv[1] + "-full", segment_bytes=65536, max_bytes=131072,
                           at_capacity="block")
        print("waiting", flush=True)
        try:
            {wait}
        except KeyboardInterrupt:
            log.append(b"usable afterwards")
            log.close()
            full.close()
            print("interrupted", flush=True)
        """,
        path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.4)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (output, errors, process.returncode) == ("interrupted\n", "", 0)
    assert time.monotonic() - started < 5


def test_an_exit_with_a_log_open_closes_it_in_order(path: Path, run_python: RunPython) -> None:
    done = run_python(
        """
        import sys, libwal
        log = libwal.open(sys.argv[1])
        for n in range(1000):
            log.append(b"x", durability="buffered")
        ticket = log.submit(b"in flight")
        cursor, follower = log.cursor(), log.follow()
        """,
        path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with libwal.open(path) as log:
        assert (log.recovery.case, log.last_lsn) == ("clean", 1001)


ENDS = {
    "returns": "pass",
    "raises": "raise ZeroDivisionError",
    "sys.exit": "sys.exit(3)",
    "os._exit": "os._exit(3)",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_an_exit_while_daemon_threads_use_the_log_neither_crashes_nor_hangs(
    path: Path, run_python: RunPython, end: str
) -> None:
    done = run_python(
        f"""
        import os, sys, threading, time, libwal
        log = libwal.open(sys.argv[1])
        log.append_batch([b"x"] * 1000)
        def forever(call):
            while True:
                try:
                    call()
                except libwal.ClosedError:
                    pass
        follower = log.follow()
        calls = [lambda: log.append(b"x"), lambda: log.append(b"x", durability="buffered"),
                 lambda: next(follower), lambda: log.wait_durable(10**12), lambda: list(log),
                 lambda: log.replay(lambda r: None), lambda: log.submit(b"x").wait(),
                 lambda: log.replay_parallel(lambda r: None, threads=2)]
        for call in calls:
            threading.Thread(target=forever, args=(call,), daemon=True).start()
        time.sleep(0.2)
        {end}
        """,
        path,
    )
    assert done.returncode == {"raise ZeroDivisionError": 1, "pass": 0}.get(end, 3), done.stderr
    with libwal.open(path) as log:
        assert [data for _, data in log][:1000] == [b"x"] * 1000


def test_an_exit_with_async_appends_in_flight_loses_nothing_that_was_told(
    path: Path, run_python: RunPython
) -> None:
    done = run_python(
        """
        import asyncio, sys, libwal
        log = libwal.open(sys.argv[1])
        async def main():
            futures = [log.append_async(b"x") for _ in range(5000)]
            print(await futures[0])
            follower = asyncio.create_task(anext(log.follow()))
            await asyncio.sleep(0)
        asyncio.run(main())
        """,
        path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    with libwal.open(path) as log:
        assert log.last_lsn == 5000


def test_what_was_acknowledged_survives_sigkill(path: Path, start_python: Start) -> None:
    code = """
        import asyncio, sys, libwal
        log = libwal.open(sys.argv[1])
        async def main():
            while True:
                for future in [log.append_async(b"x" * 50) for _ in range(64)]:
                    print(await future, flush=True)
        asyncio.run(main())
    """
    last = 0
    for _ in range(3):
        process = start_python(code, path)
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(300)]
        process.kill()
        # Not `communicate`: what the reader above has buffered would be missing.
        told += [int(line) for line in process.stdout.read().splitlines() if line]
        process.communicate()
        assert told == list(range(told[0], told[-1] + 1))
        assert told[0] > last
        last = told[-1]
        with libwal.open(path) as log:
            assert log.last_lsn is not None
            assert log.last_lsn >= last
            assert all(data == b"x" * 50 for _, data in log)
            last = log.last_lsn


def test_a_signal_handler_may_use_the_log(log: libwal.Log) -> None:
    def handle(number: int, frame: object) -> None:
        log.append(b"from the handler")

    old = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        assert log.follow().next(10) == (1, b"from the handler")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_an_interpreter_that_imports_it_starts_no_thread_and_prints_nothing(
    run_python: RunPython,
) -> None:
    done = run_python("import libwal, threading; assert threading.active_count() == 1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_development_mode_finds_nothing(path: Path) -> None:
    code = """
import asyncio, sys, libwal
async def main():
    async with await libwal.open_async(sys.argv[1]) as log:
        await asyncio.gather(*[log.append_async(b"x") for _ in range(100)])
        assert (await anext(log.follow("first"))).lsn == 1
asyncio.run(main())
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
