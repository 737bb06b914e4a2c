"""What the log tells about itself. Times are nanoseconds since 1970, spans are seconds."""

from __future__ import annotations

import uuid as _uuid_module
from dataclasses import dataclass
from pathlib import Path

from ._errors import WalError


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Bytes at the end of the log that belonged to no whole commit and were cut off."""

    segment: int
    offset: int
    """Where the valid bytes end."""
    bytes: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class RecoveryReport:
    """What opening a log found and did."""

    case: str
    """"created", "clean", "whole" or "torn-tail"."""
    created: bool
    first_lsn: int | None
    last_lsn: int | None
    cut: Cut | None
    """The tail that was cut off, if one was: nothing in it was acknowledged."""
    notes: list[str]
    bytes_scanned: int
    commits_scanned: int
    bytes_rewritten: int
    duration: float


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One file of a log."""

    id: int
    first_lsn: int
    last_lsn: int | None
    end: int
    """Where its valid bytes end."""
    file_bytes: int
    sealed: bool
    epoch: int
    created: int


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long something took, in seconds."""

    count: int
    mean: float
    max: float
    p50: float
    p99: float
    buckets: list[tuple[float, int]]
    """The largest value of each bucket that holds any, and how many it holds."""


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Counters since the log was opened, watermarks, segments and latencies."""

    durability: str
    epoch: int
    first_lsn: int | None
    last_lsn: int | None
    next_lsn: int
    submitted_lsn: int | None
    written_lsn: int | None
    durable_lsn: int | None
    poisoned: WalError | None
    """The first cause, when the log is poisoned."""
    direct_io: bool
    records: int
    record_bytes: int
    commits: int
    bytes_written: int
    syncs: int
    state_syncs: int
    rotations: int
    spare_misses: int
    recycled: int
    trimmed: int
    waits_for_room: int
    flushes_inline: int
    flushes_background: int
    reads: int
    write_latency: Latency
    sync_latency: Latency
    segments: list[Segment]
    spares: int
    ring_bytes_used: int


@dataclass(frozen=True, kw_only=True)
class Info:
    """What is known of a log without opening it."""

    _uuid: bytes
    epoch: int
    clean: bool
    """Whether it was closed in order."""
    writer_alive: bool
    first_lsn: int | None
    last_lsn: int | None
    next_lsn: int
    first_time: int | None
    last_time: int | None
    segments: list[Segment]
    spares: int
    values: int
    disk_bytes: int
    valid_bytes: int
    recovery: RecoveryReport
    """What opening it for writing would find."""

    @property
    def uuid(self) -> _uuid_module.UUID:
        """The log's identity, unlike any other log's."""
        return _uuid_module.UUID(bytes=self._uuid)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One wrong place in a log."""

    error: WalError
    """What is wrong and where."""
    records_at_stake: bool
    """False for what the log holds twice or can be built again."""


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What reading a whole log found."""

    findings: list[Finding]
    segments: int
    commits: int
    records: int
    bytes: int
    first_lsn: int | None
    last_lsn: int | None
    torn_tail: Cut | None
    """What the next opening will cut off; nothing in it was acknowledged."""


@dataclass(frozen=True, kw_only=True)
class RepairReport:
    """What a repair did, or would do."""

    actions: list[str]
    lost: list[range]
    backup: Path | None
    """Where the files are that were changed."""
    changed: bool


@dataclass(frozen=True, kw_only=True)
class CopyReport:
    """A finished copy."""

    records: int
    first_lsn: int | None
    last_lsn: int | None
    _uuid: bytes

    @property
    def uuid(self) -> _uuid_module.UUID:
        """The copy's identity."""
        return _uuid_module.UUID(bytes=self._uuid)


for _class in (Cut, RecoveryReport, Segment, Latency, Stats, Info):
    _class.__module__ = "libwal"
for _other in (Finding, VerifyReport, RepairReport, CopyReport):
    _other.__module__ = "libwal"
