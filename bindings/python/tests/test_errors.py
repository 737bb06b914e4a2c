"""The exceptions: one tree, at home in Python's, with what is known of the place."""

from __future__ import annotations

import builtins
import copy
import errno
import pickle
import tomllib
from collections.abc import Callable
from pathlib import Path

import libwal
import pytest
from libwal import _errors

ALSO = {
    libwal.InvalidError: ValueError,
    libwal.NotFoundError: LookupError,
    libwal.TrimmedError: LookupError,
    libwal.TruncatedError: LookupError,
    libwal.ClosedError: ValueError,
    libwal.TimeoutError: builtins.TimeoutError,
    libwal.WouldBlockError: BlockingIOError,
    libwal.IoError: OSError,
    libwal.ForkedError: RuntimeError,
    libwal.InternalError: RuntimeError,
}


def test_every_kind_of_the_engine_has_its_class() -> None:
    codes = Path(__file__).parents[2] / "codes.toml"
    if not codes.exists():
        pytest.skip("NOT RUN: only a checkout has the list of codes")
    kinds = [code["kind"] for code in tomllib.loads(codes.read_text())["code"] if "kind" in code]
    assert [kind.__name__ for kind in _errors.CLASSES.values()] == [k + "Error" for k in kinds]


@pytest.mark.parametrize("kind", _errors.CLASSES.values(), ids=lambda kind: kind.__name__)
def test_every_class_is_a_wal_error_that_is_public_and_told(kind: type[libwal.WalError]) -> None:
    assert issubclass(kind, libwal.WalError)
    assert issubclass(kind, ALSO.get(kind, Exception))
    assert getattr(libwal, kind.__name__) is kind
    assert kind.__module__ == "libwal"
    assert kind.__doc__


@pytest.mark.parametrize("kind", _errors.CLASSES.values(), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_and_copying(kind: type[libwal.WalError]) -> None:
    error = kind("told", lsn=7, segment=1, offset=2, path=Path("p"), errno=errno.EIO)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == "told"
        found = (again.lsn, again.segment, again.offset, again.path, again.errno, again.lsns)
        assert found == (7, 1, 2, Path("p"), errno.EIO, None)


def test_what_the_system_refused_is_an_os_error_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r".") as caught:
        libwal.open(tmp_path / ("x" * 300))
    assert isinstance(caught.value, libwal.IoError)
    assert caught.value.errno == errno.ENAMETOOLONG
    assert caught.value.path is not None
    assert "xxx" in str(caught.value)


def test_a_missing_log_is_not_found(path: Path) -> None:
    calls: list[Callable[[], object]] = [
        lambda: libwal.open(path, create=False),
        lambda: libwal.open(path, read_only=True),
        lambda: libwal.info(path),
        lambda: libwal.verify(path),
        lambda: libwal.destroy(path),
    ]
    for call in calls:
        with pytest.raises(libwal.NotFoundError):
            call()
