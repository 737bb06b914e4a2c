#!/usr/bin/env python3
"""Prints the records of a log, each with a newline: python3 docs/reader.py [--lsn] DIRECTORY

Written from docs/FORMAT.md alone, to show that the document is enough. With --lsn it prints LSN,
tab and length of each record instead. Damage ends it with 1 and a message on the standard error.
"""
import re
import sys
from pathlib import Path
from struct import pack, unpack_from
from zlib import crc32

HEADER = "<8xH6xII16s4Q8x3Q8xIIQ16x3Q3924xI"
RECORD, COMMIT, OPENING, SEAL = 1, 2, 4, 5
TRAILER = re.compile(b"\x30\0\0\0\x02\0\0\0")  # Length, kind, flags, reserved of a trailer.


def damage(path, offset, what):
    sys.exit(f"{path}: offset {offset}: {what}")


def read_state(path):
    """Sequence, uuid, first LSN, first segment, tail segment and tail offset of the slot that
    counts; zeros while the log's creation is not complete."""
    data, slots = path.read_bytes(), []
    for start in (0, 131072):
        slot = data[start:start + 131072]
        if slot[:8] != b"WALSTATE" or len(slot) < 136:
            continue
        version, checksum, incompatible, used, *fields = unpack_from("<8xH2xI4xII4x16s6Q", slot)
        if crc32(slot[16:used], crc32(bytes(4), crc32(slot[:12]))) == checksum:
            if version != 1 or incompatible:
                damage(path, start, "a newer format")
            slots.append((fields[1], fields[0], *fields[3:]))
    if not slots and len(data) >= 262144 or len({slot[1] for slot in slots}) > 1:
        damage(path, 0, "no valid state slot, or slots of different logs")
    return max(slots, default=[0] * 6)


class Segment:
    """A segment whose header is valid."""

    def __init__(self, path, block):
        self.path, self.end = path, 8192
        (version, incompatible, block_bytes, self.uuid, self.id, self.first_lsn, self.epoch, salt,
         self.before, self.before_end, self.before_next, self.before_chain, codec, key, durable,
         offset, self.sequence, self.chain) = unpack_from(HEADER, block)
        if (version, incompatible, block_bytes, codec, key) != (1, 0, 4096, 0, 0):
            damage(path, 0, "a newer format")
        self.next_lsn, self.watermark = self.first_lsn, 0
        self.believe(durable, offset)
        self.seed = self.header_seed = self.seed_of(self.epoch, salt)

    def believe(self, segment, offset):
        self.watermark = max(self.watermark, offset if segment == self.id else 0)

    def seed_of(self, *numbers):
        return crc32(self.uuid + pack("<3Q", self.id, *numbers))

    def frame(self, at, seed):
        """Kind, lsn delta, payload and end of the frame there; None when it is none."""
        if at % 8 or at + 16 > len(self.data):
            return
        checksum, length, kind, flags, reserved, delta = unpack_from("<IIBBHI", self.data, at)
        stop, start = at + 16 + length, (self.header_seed if kind == SEAL else seed) ^ at // 8
        is_possible = (1 <= kind <= 5 or kind >= 128) and flags < 2 and not reserved
        if is_possible and crc32(memoryview(self.data)[at + 4:stop], start) == checksum:
            return kind, delta, self.data[at + 16:stop], stop + -stop % 8

    def records(self, limit=None):
        """Yields LSN and payload, whole commits only. Below a limit everything has to be whole."""
        self.data = self.path.read_bytes()
        at, seed, found = self.end, self.seed, []
        while at != limit and (frame := self.frame(at, seed)):
            kind, delta, payload, after = frame
            if kind == SEAL or limit and after > limit:
                self.end = after if at == self.end and not limit else self.end
                break
            if kind == RECORD and delta == self.next_lsn + len(found) - self.first_lsn:
                found.append((self.first_lsn + delta, payload))
            elif kind == OPENING:
                seed = self.seed_of(*unpack_from("<QQ", payload))
            elif kind == COMMIT and self.is_whole(payload, at, len(found)):
                yield from found
                self.next_lsn += len(found)
                self.end, self.seed, found = after, seed, []
            elif kind in (RECORD, COMMIT):
                break
            at = after
        if limit and at != limit:
            damage(self.path, at, "not what was written")
        yield from found if limit else []  # What a truncation has left of the commit it cut.
        self.next_lsn += len(found) if limit else 0

    def is_whole(self, trailer, at, count):
        first, stated, chain, sequence = unpack_from("<QII24xQ", trailer)
        expected = self.next_lsn, count, crc32(memoryview(self.data)[self.end:at], self.chain)
        if (first, stated, chain) != expected:
            return False
        self.chain, self.sequence = chain, max(self.sequence, sequence)
        self.believe(*unpack_from("<24xQQ", trailer))
        return True

    def judge_tail(self, *known):
        self.believe(*known)
        for match in TRAILER.finditer(self.data, self.end):
            if frame := self.frame(match.start() - 4, self.seed):
                self.believe(*unpack_from("<24xQQ", frame[2]))
        if self.watermark > self.end:
            damage(self.path, self.end, "not what was written")


def read_segment(path):
    """The segment, if one of the two copies of its header is valid."""
    data = path.open("rb").read(8192)
    for block in (data[:4096], data[4096:]):
        if block[:8] == b"WALSEG\r\n" and pack("<I", crc32(block[:4092])) == block[4092:]:
            return Segment(path, block)


def main(directory, *flags):
    sequence, uuid, first_lsn, first_segment, *tail = read_state(Path(directory, "STATE"))
    files = {int(path.stem): read_segment(path) for path in Path(directory).iterdir()
             if re.fullmatch("[0-9]{20}[.]wal", path.name)}
    number, chain = max((number for number in files if files[number]), default=0), []
    number = max(number, tail[0])
    while number and (number >= first_segment or not chain):
        segment, later = files.get(number), chain[-1] if chain else None
        if not segment or (segment.id, segment.uuid) != (number, uuid) or later and not (
                number < later.id and segment.epoch <= later.epoch
                and segment.first_lsn <= later.before_next == later.first_lsn):
            damage(directory, 0, f"segment {number} is missing or is not what is needed")
        chain.append(segment)
        number = segment.before
    if chain and chain[-1].id > first_segment:
        first_lsn = chain[-1].first_lsn
    for segment, later in reversed(list(zip(chain, [None, *chain]))):
        for lsn, record in segment.records(later and later.before_end):
            if lsn >= first_lsn:
                line = b"%d\t%d" % (lsn, len(record)) if flags else record
                sys.stdout.buffer.write(line + b"\n")
        if sequence < segment.sequence:
            damage(segment.path, 0, "knows of a newer state than the state file")
        if not later:
            segment.judge_tail(*tail)
        elif segment.next_lsn != later.before_next or later.before_chain not in (0, segment.chain):
            damage(segment.path, segment.end, "does not end as the next header says")


main(*sorted(sys.argv[1:], key=lambda argument: argument == "--lsn"))
