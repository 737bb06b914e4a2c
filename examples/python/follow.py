"""Follows a log while it is written, as a consumer in another process would.

python follow.py /tmp/events
"""

import sys
import threading
import time

import libwal

path = sys.argv[1] if len(sys.argv) > 1 else "events.wal"


def write(log: libwal.Log) -> None:
    for number in range(1, 6):
        log.append(f"event {number}".encode())
        time.sleep(0.1)


# A reader needs no lock: this could as well be another process.
with libwal.open(path) as log, libwal.open(path, read_only=True) as reader:
    follower = reader.follow()
    writer = threading.Thread(target=write, args=(log,))
    writer.start()

    for _ in range(5):
        # Waits for a record; Ctrl-C ends the wait.
        lsn, data = follower.next()
        print(f"{lsn}: {data.decode()}")
    writer.join()
