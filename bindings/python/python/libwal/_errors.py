"""The exceptions: one class for each thing a caller can do about a failure."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any


class WalError(Exception):
    """Why a call did not do what it was asked. Catch it for everything the log raises.

    Attributes that a failure has nothing to say about are None.
    """

    lsn: int | None = None
    """The LSN the class speaks of: see `TrimmedError`, `TruncatedError`, `ConflictError`."""
    lsns: range | None = None
    """The records at stake, of a `CorruptError`."""
    segment: int | None = None
    """The segment the failure is about."""
    offset: int | None = None
    """Where in the file."""
    path: Path | None = None
    """The file or directory the failure is about."""
    errno: int | None = None
    """The system's error number, if the system refused."""

    def __init__(self, message: str = "", **attributes: Any) -> None:
        super().__init__(message)
        self._message = message
        for name, value in attributes.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (type(self), self._message, _attributes(self)))


class InvalidError(WalError, ValueError):
    """An argument or option is wrong: correct the call. Nothing was changed."""


class NotFoundError(WalError, LookupError):
    """There is no such log or record."""


class TrimmedError(WalError, LookupError):
    """The position was trimmed away: go on from `lsn`, the first record still there."""


class TruncatedError(WalError, LookupError):
    """The position was truncated away: go back to `lsn`, the last record still there."""


class ConflictError(WalError):
    """The next LSN is not the expected one, but `lsn`. Nothing was appended."""


class ClosedError(WalError, ValueError):
    """The log was closed: open it again."""


class LockedError(WalError):
    """Another writer holds the log: stop it, or wait for it with `lock_wait`."""


class FullError(WalError):
    """No room, by the disk or by a limit: surely not written. Free space and try again."""


class TimeoutError(WalError, builtins.TimeoutError):
    """The time was up; whatever was waited for goes on."""


class WouldBlockError(WalError, BlockingIOError):
    """The call would have had to wait and was told not to."""


class PoisonedError(WalError):
    """An earlier write or sync failed: reopen the log, which finds out what is on disk."""


class IoError(WalError, OSError):
    """The system refused a read, write or sync. After a failed append the outcome is not known:
    reopen the log to find out.
    """


class CorruptError(WalError):
    """Bytes on disk are not what was written: see `path`, `segment`, `offset` and `lsns`."""


class UnsupportedError(WalError):
    """The file belongs to a newer version or uses a feature this one does not know: upgrade."""


class ForkedError(WalError, RuntimeError):
    """The log was inherited through a fork: open it again in this process."""


class InternalError(WalError, RuntimeError):
    """A bug in libwal: please report it."""


def _attributes(error: WalError) -> dict[str, Any]:
    names = ("lsn", "lsns", "segment", "offset", "path", "errno")
    found = {name: getattr(error, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _rebuilt(kind: type[WalError], message: str, attributes: dict[str, Any]) -> WalError:
    return kind(message, **attributes)


# The engine's kinds by its own names, for the native part.
CLASSES: dict[str, type[WalError]] = {
    "invalid": InvalidError,
    "not found": NotFoundError,
    "trimmed": TrimmedError,
    "truncated": TruncatedError,
    "conflict": ConflictError,
    "closed": ClosedError,
    "locked": LockedError,
    "full": FullError,
    "timeout": TimeoutError,
    "would block": WouldBlockError,
    "poisoned": PoisonedError,
    "i/o": IoError,
    "corrupt": CorruptError,
    "unsupported": UnsupportedError,
    "forked": ForkedError,
    "internal": InternalError,
}
for _class in (WalError, *CLASSES.values()):
    _class.__module__ = "libwal"
