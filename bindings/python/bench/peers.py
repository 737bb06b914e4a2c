"""What users would pick otherwise, each told to sync before it acknowledges."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

RECORD = b"x" * 100
BATCH_COUNT = 1000


class Peer(ABC):
    """A store of records. Each call takes how many to handle and returns how many it handled."""

    name: str

    @abstractmethod
    def append(self, count: int) -> int: ...

    @abstractmethod
    def append_batch(self, count: int) -> int: ...

    @abstractmethod
    def read(self, count: int) -> int: ...

    @abstractmethod
    def close(self) -> None: ...


class Sqlite(Peer):
    """A table in WAL mode with synchronous=FULL, which syncs with every commit."""

    name = "sqlite3"

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path / "db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        assert self._db.execute("PRAGMA synchronous").fetchone() == (2,)
        self._db.execute("CREATE TABLE log (lsn INTEGER PRIMARY KEY, data BLOB NOT NULL)")

    def append(self, count: int) -> int:
        for _ in range(count):
            self._db.execute("INSERT INTO log (data) VALUES (?)", (RECORD,))
        return count

    def append_batch(self, count: int) -> int:
        batches = -(-count // BATCH_COUNT)
        for _ in range(batches):
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO log (data) VALUES (?)", [(RECORD,)] * BATCH_COUNT)
            self._db.execute("COMMIT")
        return batches * BATCH_COUNT

    def read(self, count: int) -> int:
        handled = 0
        while handled < count:
            for _ in self._db.execute("SELECT lsn, data FROM log ORDER BY lsn"):
                handled += 1
        return handled

    def close(self) -> None:
        self._db.close()


class PersistQueue(Peer):
    """persist-queue's queue on SQLite with auto_commit, which syncs with every put.

    Its queue of files does not sync: it has no durability to compare with.
    """

    name = "persist-queue"

    def __init__(self, path: Path) -> None:
        import persistqueue

        self._queue = persistqueue.SQLiteQueue(str(path / "queue"), auto_commit=True)
        assert self._queue._putter.execute("PRAGMA synchronous").fetchone() == (2,)

    def append(self, count: int) -> int:
        for _ in range(count):
            self._queue.put(RECORD)
        return count

    def append_batch(self, count: int) -> int:
        # It has no batch: this is as many records, one by one.
        return self.append(count)

    def read(self, count: int) -> int:
        # What is taken is gone, with a commit each time.
        while self._queue.size < count:
            self._queue.put(RECORD)
        for _ in range(count):
            self._queue.get()
        return count

    def close(self) -> None:
        self._queue.close()


ALL: list[Callable[[Path], Peer]] = [Sqlite, PersistQueue]
