"""Appends records together: after a crash either all of a batch are there or none.

python batch.py /tmp/transfers
"""

import asyncio
import sys

import libwal


async def main(path: str) -> None:
    async with libwal.open(path) as log:
        # One batch, one acknowledgement: half a transfer can never be read.
        lsns = log.append_batch([b"debit alice 10", b"credit bob 10"])
        print(f"the transfer is records {lsns[0]} and {lsns[-1]}")

        # Several batches on their way at once share their syncs. They get their places in the
        # order of the calls, before anything is awaited.
        transfers = [
            log.append_batch_async([f"debit {number}".encode(), f"credit {number}".encode()])
            for number in range(1000)
        ]
        await asyncio.gather(*transfers)
        print(f"1000 more are durable, up to record {log.durable_lsn}")

        # One append may ask for less than the log's durability, or for more.
        log.append(b"a note that only has to survive this process", durability="os")
    # Closing has made everything durable, whatever it was appended with.


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "transfers.wal"))
