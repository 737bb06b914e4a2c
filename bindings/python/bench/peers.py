"""What users of Python would otherwise take, asked for the same work as `measure.py`.

python peers.py sqlite3|persist-queue
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from asked import (
    BATCH,
    DURABLE,
    DURABLE_BATCHES,
    OS,
    PASSES,
    READ,
    RECORD,
    Answer,
    serve,
    timed,
)

# SQLite in WAL mode: with FULL each commit is synced, with NORMAL it survives the process alone.
SYNCHRONOUS = {"os": 1, "durable": 2, "durable-batch": 2, "read": 1}


def sqlite(workload: str, directory: str) -> Answer | None:
    if workload not in SYNCHRONOUS:
        return None
    Path(directory).mkdir()
    db = sqlite3.connect(f"{directory}/db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"PRAGMA synchronous={SYNCHRONOUS[workload]}")
    assert db.execute("PRAGMA synchronous").fetchone() == (SYNCHRONOUS[workload],)
    db.execute("CREATE TABLE log (lsn INTEGER PRIMARY KEY, data BLOB NOT NULL)")

    def append(records: int) -> None:
        for _ in range(records):
            db.execute("INSERT INTO log (data) VALUES (?)", (RECORD,))

    def append_batches(batches: int) -> None:
        rows = [(record,) for record in BATCH]
        for _ in range(batches):
            db.execute("BEGIN")
            db.executemany("INSERT INTO log (data) VALUES (?)", rows)
            db.execute("COMMIT")

    def read() -> None:
        for _ in range(PASSES):
            found = sum(len(data) for _, data in db.execute("SELECT * FROM log ORDER BY lsn"))
            assert found == READ * len(RECORD), "every record was read"

    try:
        match workload:
            case "os":
                return timed(OS, lambda: append(OS))
            case "durable":
                return timed(DURABLE, lambda: append(DURABLE))
            case "durable-batch":
                return timed(DURABLE_BATCHES * len(BATCH), lambda: append_batches(DURABLE_BATCHES))
            case _:
                append_batches(READ // len(BATCH))
                return timed(PASSES * READ, read)
    finally:
        db.close()


def persist_queue(workload: str, directory: str) -> Answer | None:
    """Its queue on SQLite with auto_commit, which syncs with every put and has no batches.

    Reading takes records away, so it is not compared. Its queue of files does not sync.
    """
    if workload != "durable":
        return None
    import persistqueue

    queue = persistqueue.SQLiteQueue(directory, auto_commit=True)
    putter: Any = queue._putter
    assert putter.execute("PRAGMA synchronous").fetchone() == (2,)

    def put() -> None:
        for _ in range(DURABLE):
            queue.put(RECORD)

    answer = timed(DURABLE, put)
    queue.close()
    return answer


PEERS = {"sqlite3": sqlite, "persist-queue": persist_queue}

if __name__ == "__main__":
    serve(PEERS[sys.argv[1]])
