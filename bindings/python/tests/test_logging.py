"""The log's events come through `logging`."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import libwal
import pytest
from conftest import RunPython


def test_openings_are_told_at_info(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "libwal"):
        libwal.open(path).close()
    told = [record for record in caplog.records if record.name.startswith("libwal")]
    assert told
    assert {record.levelno for record in told} <= {20, 30, 40}
    assert any(str(path) in record.getMessage() for record in told)


def test_a_level_that_is_not_let_through_costs_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "libwal"):
        libwal.open(path).close()
    assert [record for record in caplog.records if record.name.startswith("libwal")] == []


def test_what_happens_on_other_threads_comes_too(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "libwal"):
        log = libwal.open(path)
        before = len(caplog.records)
        # As a thread of the log would tell it: nobody hands it over here.
        super(libwal.Log, log).close()
        deadline = time.monotonic() + 10
        while len(caplog.records) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        log.close()
    assert any("closed" in record.getMessage() for record in caplog.records[before:])


def test_a_handler_that_uses_the_log_does_not_hang(path: Path) -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if log is not None and not log.closed:
                log.append(b"from the handler", durability="buffered")

    logger, handler = logging.getLogger("libwal"), Handler()
    log: libwal.Log | None = None
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        log = libwal.open(path, segment_bytes=65536)
        for _ in range(50):
            log.append(bytes(8192))
        log.close()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_without_a_configuration_nothing_is_printed(path: Path, run_python: RunPython) -> None:
    done = run_python("import sys, libwal; libwal.open(sys.argv[1]).close()", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
