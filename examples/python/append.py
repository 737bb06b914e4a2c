"""Appends records that survive power loss, one by one, and reads them back.

python append.py /tmp/orders
"""

import sys

import libwal

path = sys.argv[1] if len(sys.argv) > 1 else "orders.wal"

with libwal.open(path) as log:
    print(f"opened {path}: {log.recovery.case}")

    for number in range(1, 4):
        # When this returns, the record survives power loss: that is the default.
        lsn = log.append(f"order {number}".encode())
        print(f"order {number} is record {lsn}")

    for lsn, data in log.cursor():
        print(f"{lsn}: {data.decode()}")
