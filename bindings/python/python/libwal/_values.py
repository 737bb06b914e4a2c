"""The log's small key-value state as a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._log import Log


class Values(MutableMapping[bytes, bytes]):
    """A few small facts that belong to a log and survive with it: a vote, a term, an offset.

    Keys are 1 to 255 bytes, values up to 4 KiB, everything together up to 128 KiB. When a change
    returns it survives power loss; each costs one sync. `update` and `clear` change everything or
    nothing, and `update` deletes what is given None.
    """

    __slots__ = ("_log",)

    def __init__(self, log: Log) -> None:
        self._log = log

    def __getitem__(self, key: bytes) -> bytes:
        value = self._log._value_get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        if value is None:
            raise TypeError("a bytes-like object is required, not 'NoneType'")
        self._log._values_update([(key, value)])

    def __delitem__(self, key: bytes) -> None:
        if self._log._value_get(key) is None:
            raise KeyError(key)
        self._log._values_update([(key, None)])

    def __iter__(self) -> Iterator[bytes]:
        return iter([key for key, _ in self._log._values_list()])

    def __len__(self) -> int:
        return len(self._log._values_list())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self._log._value_get(key) is not None

    def update(  # type: ignore[override]
        self,
        changes: Mapping[bytes, bytes | None] | Iterable[tuple[bytes, bytes | None]],
        /,
    ) -> None:
        """Sets and (with None) deletes several keys at once: a crash leaves all or nothing."""
        pairs: Any = changes.items() if isinstance(changes, Mapping) else changes
        self._log._values_update(list(pairs))

    def clear(self) -> None:
        """Deletes every key at once."""
        self._log._values_update([(key, None) for key, _ in self._log._values_list()])

    def __repr__(self) -> str:
        return f"Values({dict(self._log._values_list())!r})"


Values.__module__ = "libwal"
