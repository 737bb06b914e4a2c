"""Trim, truncate, reset, values, copies, checks and what the log tells of itself."""

from __future__ import annotations

import dataclasses
import pickle
import selectors
from pathlib import Path

import libwal
import pytest


def test_a_reset_starts_elsewhere(log: libwal.Log) -> None:
    log.append(b"old")
    log.reset_to(100)
    assert (log.first_lsn, log.last_lsn, log.next_lsn) == (None, None, 100)
    assert log.append(b"new") == 100


def test_values_are_a_mapping_of_bytes(log: libwal.Log) -> None:
    values = log.values
    values[b"term"] = b"7"
    values.update({b"vote": b"n2", b"seen": b"x"})
    assert dict(values) == {b"seen": b"x", b"term": b"7", b"vote": b"n2"}
    assert (len(values), b"term" in values, b"none" in values) == (3, True, False)
    assert values.get(b"none") is None
    with pytest.raises(KeyError):
        values[b"none"]
    with pytest.raises(KeyError):
        del values[b"none"]
    del values[b"term"]
    assert values.pop(b"vote") == b"n2"
    values.update([(b"seen", None), (b"more", b"1")])
    assert list(values) == [b"more"]
    values.clear()
    assert not values


@pytest.mark.parametrize("wrong", ["text", None, 5])
def test_values_of_another_type_are_type_errors(log: libwal.Log, wrong: object) -> None:
    with pytest.raises(TypeError):
        log.values[wrong] = b""  # type: ignore[index]
    with pytest.raises(TypeError):
        log.values[b"key"] = wrong  # type: ignore[assignment]
    with pytest.raises(TypeError):
        log.values.update([(b"a", b"1"), (wrong, b"2")])  # type: ignore[list-item]
    assert len(log.values) == 0


def test_an_update_that_is_refused_changes_nothing(log: libwal.Log) -> None:
    log.values[b"a"] = b"1"
    with pytest.raises(libwal.InvalidError):
        log.values.update({b"a": b"2", b"b": bytes(5000)})
    assert dict(log.values) == {b"a": b"1"}


def test_values_survive_their_log(path: Path) -> None:
    with libwal.open(path) as log:
        log.values[b"k"] = b"v"
    with libwal.open(path) as log:
        assert log.values[b"k"] == b"v"


def test_a_copy_is_a_log_of_its_own(log: libwal.Log, tmp_path: Path) -> None:
    log.append_batch([b"a", b"b"])
    report = log.copy_to(tmp_path / "copy")
    assert (report.records, report.first_lsn, report.last_lsn) == (2, 1, 2)
    with libwal.open(str(tmp_path / "copy")) as copy:
        assert list(copy) == list(log)
        assert copy.uuid == report.uuid != log.uuid
    with pytest.raises(libwal.InvalidError):
        log.copy_to(tmp_path / "copy")


def test_reports_tell_what_is_there(path: Path) -> None:
    with libwal.open(path, segment_bytes=65536) as log:
        assert (log.recovery.case, log.recovery.created) == ("created", True)
        for _ in range(20):
            log.append_batch([bytes(1000)] * 10)
        stats = log.stats()
        assert (stats.records, stats.record_bytes, stats.durability) == (200, 200_000, "disk")
        assert (stats.first_lsn, stats.last_lsn, stats.durable_lsn) == (1, 200, 200)
        assert len(stats.segments) >= 3
        assert stats.segments[0].sealed
        assert stats.sync_latency.count >= 1
        assert 0 < stats.sync_latency.p50 <= stats.sync_latency.max
        assert libwal.info(path).writer_alive
        uuid = log.uuid
    info = libwal.info(path)
    assert (info.uuid, info.clean, info.writer_alive) == (uuid, True, False)
    assert (info.first_lsn, info.last_lsn, info.next_lsn) == (1, 200, 201)
    verified = libwal.verify(path)
    assert (verified.findings, verified.records, verified.torn_tail) == ([], 200, None)
    for report in (stats, info, verified):
        assert pickle.loads(pickle.dumps(report)) == report
        with pytest.raises(dataclasses.FrozenInstanceError):
            report.segments = []  # type: ignore[misc]


def test_damage_is_found_told_and_repaired(path: Path) -> None:
    with libwal.open(path) as log:
        log.append_batch([b"first" * 100])
        log.append_batch([b"second" * 100])
        log.append_batch([b"third" * 100])
    segment = max(path.glob("*"), key=lambda file: b"second" in file.read_bytes())
    content = bytearray(segment.read_bytes())
    content[content.index(b"second")] ^= 1
    segment.write_bytes(content)

    findings = libwal.verify(path).findings
    assert findings
    error = findings[0].error
    assert isinstance(error, libwal.CorruptError)
    assert (error.path, error.segment, error.lsn) == (segment, 1, 2)
    assert error.lsns == range(2, 3)
    assert error.offset is not None
    assert error.offset > 0
    with pytest.raises(libwal.CorruptError) as caught:
        libwal.open(path)
    assert (caught.value.segment, caught.value.lsn) == (1, 2)

    planned = libwal.repair(path, dry_run=True)
    assert (planned.changed, bool(planned.actions)) == (False, True)
    done = libwal.repair(path)
    assert done.changed
    assert 2 in done.lost[0]
    assert done.backup is not None
    assert done.backup.exists()
    assert libwal.verify(path).findings == []


def test_a_notifier_goes_into_a_selector(log: libwal.Log) -> None:
    notifier = log.notifier()
    with selectors.DefaultSelector() as selector:
        selector.register(notifier, selectors.EVENT_READ)
        lsn = log.submit(b"x").lsn
        while (notifier.acknowledge() or 0) < lsn:
            assert selector.select(10)
    log.close()
    with pytest.raises(libwal.ClosedError):
        notifier.acknowledge()


def test_retention_and_capacity_are_options(path: Path) -> None:
    with libwal.open(
        path, segment_bytes=65536, max_bytes=196608, at_capacity="trim_oldest", retention_records=50
    ) as log:
        for _ in range(100):
            log.append(bytes(8192), durability="os")
        assert log.first_lsn is not None
        assert log.first_lsn > 1
        assert log.last_lsn == 100 or log.sync() == 100


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [
        ("segment_bytes", 5, ValueError),
        ("segment_bytes", -1, ValueError),
        ("segment_bytes", 2**70, ValueError),
        ("segment_bytes", "64", TypeError),
        ("segment_bytes", True, TypeError),
        ("durability", "often", ValueError),
        ("durability", 3, TypeError),
        ("io", "fast", ValueError),
        ("read_mode", "x", ValueError),
        ("at_capacity", None, None),
        ("lock_wait", -1, ValueError),
        ("lock_wait", float("nan"), ValueError),
        ("lock_wait", "1", TypeError),
        ("sync_every", -0.5, ValueError),
        ("first_lsn", 0, ValueError),
        ("max_batch_delay", 5, ValueError),
        ("unknown", 1, TypeError),
    ],
)
def test_wrong_options_are_refused_before_anything_is_made(
    path: Path, option: str, value: object, kind: type[Exception] | None
) -> None:
    if kind is None:
        libwal.open(path, **{option: value}).close()  # type: ignore[arg-type]
        return
    with pytest.raises(kind):
        libwal.open(path, **{option: value})  # type: ignore[arg-type]
    assert not path.exists()


@pytest.mark.parametrize("wrong", [None, 5, b"\0", ["log"]])
def test_a_path_that_is_none_is_a_type_or_value_error(wrong: object) -> None:
    with pytest.raises((TypeError, ValueError, OSError)):
        libwal.open(wrong)  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError, OSError)):
        libwal.verify(wrong)  # type: ignore[arg-type]
