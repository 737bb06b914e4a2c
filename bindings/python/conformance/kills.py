"""Appends records that any reader can check, until killed; and checks what is left."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path

import libwal
from scenario import Numbers, pattern


def record(lsn: int) -> bytes:
    """The record that `write` appends with this LSN."""
    length = lsn * 977 % 5000 if lsn % 64 == 0 else lsn * 31 % 120
    return lsn.to_bytes(8, "little") + pattern(lsn, length)


def write(directory: Path, count: int, seed: int) -> None:
    """Appends `count` records or a few more (0: without end), telling each acknowledgement."""
    asyncio.run(_write(directory, count, Numbers(seed)))


async def _write(directory: Path, count: int, calls: Numbers) -> None:
    with libwal.open(directory, segment_bytes=65536) as log:
        print("open", log.last_lsn or 0, flush=True)
        first = following = log.next_lsn
        while count == 0 or following - first < count:
            draw = calls.draw()
            many = draw >> 8
            match draw % 4:
                case 0 | 1:
                    lsns = range(following, following + 1)
                    _acknowledge(log.append(record(following)), following)
                case 2:
                    lsns = range(following, following + 2 + many % 7)
                    _acknowledge(log.append_batch([record(lsn) for lsn in lsns])[-1], lsns[-1])
                case _:
                    lsns = range(following, following + 1 + many % 16)
                    futures = [log.append_async(record(lsn)) for lsn in lsns]
                    for lsn, future in zip(lsns, futures, strict=True):
                        _acknowledge(await future, lsn)
            following = lsns[-1] + 1
    print("done", following - 1, flush=True)


def _acknowledge(lsn: int, expected: int) -> None:
    if lsn != expected:
        raise SystemExit(f"record {expected} got the LSN {lsn}")
    print("ack", lsn, flush=True)


def read(directory: Path) -> None:
    """Opens the log, which recovers it, and holds every record against the generator."""
    first = last = None
    crc, is_batch_open = 0, False
    with libwal.open(directory) as log:
        for found in log.cursor():
            if found.data != record(found.lsn):
                raise SystemExit(f"record {found.lsn} is not what was appended")
            if last is not None and found.lsn != last + 1:
                raise SystemExit(f"record {found.lsn} follows {last}")
            first, last = first or found.lsn, found.lsn
            is_batch_open = found.batch_continues
            crc = zlib.crc32(found.data, crc)
    if is_batch_open:
        raise SystemExit(f"the log ends inside a batch, at {last}")
    print("records", first or "-", last or "-", f"{crc:08x}")
