"""Takes a scenario line by line, through the package as its users have it."""

from __future__ import annotations

import asyncio
import itertools
import re
import select
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import files
import libwal
from scenario import Line, Misread, print_bytes, read_bytes
from words import dash, ends, kind, milliseconds, position, refusal, step, terms, words

# Long enough for a follower to be waiting.
_PAUSE = 0.02
_SECONDS = {
    "sync_every_ms": 1e-3,
    "retention_age_ms": 1e-3,
    "lock_wait_ms": 1e-3,
    "max_batch_delay_us": 1e-6,
}
_COUNTS = (
    "sync_bytes",
    "segment_bytes",
    "record_bytes_max",
    "batch_bytes_max",
    "ring_bytes",
    "max_batch_bytes",
    "max_bytes",
    "retention_bytes",
    "retention_records",
    "first_lsn",
)


class Session:
    """What is kept between the lines of a scenario."""

    def __init__(self, scratch: Path, golden: Path) -> None:
        self.scratch = scratch
        self.golden = golden
        self.kept: dict[tuple[str, str], Any] = {}
        self.lines: list[str] = []

    def take(self, line: Line) -> list[str]:
        """The lines that belong to the result of an operation."""
        self.lines = []
        try:
            answer = self._answer(line)
        except libwal.WalError as error:
            return [*self.lines, refusal(error)]
        if not answer.startswith("UNSUPPORTED"):
            line.all_taken()
        return [*self.lines, answer]

    def _answer(self, line: Line) -> str:
        operation: Callable[[Line], str] | None = getattr(self, f"do_{line.name}", None)
        if operation is not None:
            return operation(line)
        answer = files.take(self.scratch, self.golden, line)
        return f"UNSUPPORTED {line.name}" if answer is None else answer

    def directory(self, line: Line) -> Path:
        return self.scratch / (line.optional("dir") or "log")

    def get(self, line: Line, kind: str) -> Any:
        name = line.optional(kind) or kind
        try:
            return self.kept[kind, name]
        except KeyError:
            raise Misread(f"no {kind} {name}") from None

    def keep(self, line: Line, kind: str, value: Any) -> None:
        self.kept[kind, line.optional(kind) or kind] = value

    def log(self, line: Line) -> libwal.Log:
        log: libwal.Log = self.get(line, "log")
        return log

    def record(self, record: libwal.Record) -> None:
        self.lines.append(f"record {words(record)}")

    # Opening and closing.

    def do_open(self, line: Line) -> str:
        return self._open(line, read_only=False)

    def do_open_read_only(self, line: Line) -> str:
        return self._open(line, read_only=True)

    def _open(self, line: Line, read_only: bool) -> str:
        options: dict[str, Any] = {"read_only": read_only}
        for name, unit in _SECONDS.items():
            if (value := line.maybe(name)) is not None:
                options[re.sub("_[mu]s$", "", name)] = value * unit
        for name in _COUNTS:
            if (value := line.maybe(name)) is not None:
                options[name] = value
        for name in ("at_capacity", "io", "read_mode"):
            if (word := line.optional(name)) is not None:
                options[name] = word
        if (word := line.optional("level")) is not None:
            options["durability"] = word
        options["create"] = line.yes("create", True)
        options["pad_to_block"] = line.yes("pad_to_block", False)
        log = libwal.open(self.directory(line), **options)
        old = self.kept.get(("log", line.optional("log") or "log"))
        if old is not None:
            old.close()
        self.keep(line, "log", log)
        found = log.recovery
        cut = found.cut and f"{found.cut.segment}:{found.cut.offset}:{found.cut.bytes}"
        ends = f"first={dash(found.first_lsn)} last={dash(found.last_lsn)}"
        return f"ok case={found.case} {ends} cut={dash(cut)}"

    def do_close(self, line: Line) -> str:
        self.log(line).close()
        return "ok"

    def do_destroy(self, line: Line) -> str:
        libwal.destroy(self.directory(line))
        return "ok"

    def do_path(self, line: Line) -> str:
        return f"ok dir={self.log(line).path.name}"

    def do_uuid(self, line: Line) -> str:
        return f"ok uuid={self.log(line).uuid.hex}"

    # Appending.

    def do_append(self, line: Line) -> str:
        lsn = self.log(line).append(line.data("record"), **terms(line))
        return f"ok lsn={lsn}"

    def do_append_batch(self, line: Line) -> str:
        return ends(self.log(line).append_batch(line.many_data("records"), **terms(line)))

    def do_append_packed(self, line: Line) -> str:
        return ends(self.log(line).append_packed(libwal.pack(line.many_data("records"))))

    def do_append_vectored(self, line: Line) -> str:
        return f"ok lsn={self.log(line).append(b''.join(line.many_data('pieces')))}"

    def do_append_at(self, line: Line) -> str:
        return f"ok lsn={self.log(line).append_at(line.number('lsn'), line.data('record'))}"

    def do_submit(self, line: Line) -> str:
        record, log = line.data("record"), self.log(line)
        return self._submit(line, lambda given: log.submit(record, **given))

    def do_submit_batch(self, line: Line) -> str:
        records, log = line.many_data("records"), self.log(line)
        return self._submit(line, lambda given: log.submit_batch(records, **given))

    def _submit(self, line: Line, submit: Callable[[dict[str, Any]], libwal.Ticket]) -> str:
        ticket: libwal.Ticket | libwal.WalError
        try:
            ticket = submit(terms(line))
        except libwal.WalError as error:
            ticket = error
        self.keep(line, "ticket", ticket)
        return "ok"

    def do_wait(self, line: Line) -> str:
        ticket, timeout = self.get(line, "ticket"), milliseconds(line, "timeout_ms")
        name = ("ticket", line.optional("ticket") or "ticket")
        try:
            if isinstance(ticket, libwal.WalError):
                raise ticket
            lsns = ticket.wait(timeout)
        except libwal.TimeoutError:
            raise
        except libwal.WalError:
            del self.kept[name]
            raise
        del self.kept[name]
        return ends(lsns)

    def do_append_async(self, line: Line) -> str:
        log, records = self.log(line), line.many_data("records")

        async def all_together() -> list[int]:
            return await asyncio.gather(*[log.append_async(record) for record in records])

        return f"ok lsns={','.join(map(str, asyncio.run(all_together())))}"

    def do_wait_durable(self, line: Line) -> str:
        self.log(line).wait_durable(line.number("lsn"), milliseconds(line, "timeout_ms"))
        return "ok"

    def do_sync(self, line: Line) -> str:
        return f"ok durable={dash(self.log(line).sync())}"

    def do_lsns(self, line: Line) -> str:
        log = self.log(line)
        names = ("first", "last", "durable", "written", "submitted", "next")
        return "ok " + " ".join(f"{name}={dash(getattr(log, name + '_lsn'))}" for name in names)

    def do_notifier(self, line: Line) -> str:
        log, notifier = self.log(line), self.log(line).notifier()
        last = [log.submit(record).lsn for record in line.many_data("records")][-1]
        poll = select.poll()
        poll.register(notifier, select.POLLIN)
        while poll.poll(10_000):
            durable = notifier.acknowledge()
            if durable is not None and durable >= last:
                return f"ok durable={durable}"
        raise Misread("the descriptor stays unreadable")

    # Reading.

    def do_read(self, line: Line) -> str:
        lsn = line.number("lsn")
        return f"ok lsn={lsn} bytes={print_bytes(self.log(line).read(lsn))}"

    def do_read_many(self, line: Line) -> str:
        log, lsns = self.log(line), [int(lsn) for lsn in line.items("lsns")]
        try:
            records = log.read_many(lsns)
        except libwal.WalError:
            # The list is all or nothing; what stands before the error is read one by one.
            for lsn in lsns:
                self.record(log.read_many([lsn])[0])
            raise
        for record in records:
            self.record(record)
        return f"ok count={len(records)}"

    def do_time_of(self, line: Line) -> str:
        return f"ok time={self.log(line).time_of(line.number('lsn'))}"

    def do_cursor(self, line: Line) -> str:
        cursor = self.log(line).cursor(**position(line, "from", "start"))
        self.keep(line, "cursor", cursor)
        return f"ok next={cursor.next_lsn}"

    def do_next(self, line: Line) -> str:
        return step(self.get(line, "cursor").next())

    def do_prev(self, line: Line) -> str:
        return step(self.get(line, "cursor").prev())

    def do_seek(self, line: Line) -> str:
        cursor = self.get(line, "cursor")
        cursor.seek(**position(line, "to", "to"))
        return f"ok next={cursor.next_lsn}"

    def do_seek_time(self, line: Line) -> str:
        cursor = self.get(line, "cursor")
        cursor.seek(from_time=line.number("time"))
        return f"ok next={cursor.next_lsn}"

    def do_cursor_time(self, line: Line) -> str:
        return f"ok time={self.get(line, 'cursor').time()}"

    def do_read_batch(self, line: Line) -> str:
        cursor = self.get(line, "cursor")
        records = cursor.read_batch(line.number("count"))
        for record in records:
            self.record(record)
        return f"ok count={len(records)} next={cursor.next_lsn}"

    def do_iterate(self, line: Line) -> str:
        for record in self.log(line).cursor(**position(line, "from", "start")):
            self.record(record)
        return f"ok count={len(self.lines)}"

    def do_digest(self, line: Line) -> str:
        first, last, count, crc = None, None, 0, 0
        for lsn, data in self.log(line).cursor(**position(line, "from", "start")):
            first, last, count, crc = first or lsn, lsn, count + 1, zlib.crc32(data, crc)
        return f"ok first={dash(first)} last={dash(last)} count={count} crc={crc:08x}"

    def do_replay(self, line: Line) -> str:
        stop = line.maybe("stop")

        def look(record: libwal.Record) -> bool:
            self.record(record)
            return record.lsn != stop

        return f"ok last={dash(self.log(line).replay(look, **position(line, 'from', 'start')))}"

    def do_replay_parallel(self, line: Line) -> str:
        sums: list[int] = []
        count = self.log(line).replay_parallel(
            lambda record: sums.append(zlib.crc32(record.data)),
            threads=line.number("threads"),
            in_order=line.yes("in_order", True),
            **position(line, "from", "start"),
        )
        return f"ok count={count} sum={sum(sums) % 2**32}"

    # Following.

    def do_follow(self, line: Line) -> str:
        follower = self.log(line).follow(**position(line, "from", "start"))
        self.keep(line, "follower", follower)
        return f"ok next={follower.next_lsn}"

    def do_follow_next(self, line: Line) -> str:
        return step(self.get(line, "follower").next(milliseconds(line, "timeout_ms")))

    def do_follow_seek(self, line: Line) -> str:
        follower = self.get(line, "follower")
        follower.seek(**position(line, "to", "to"))
        return f"ok next={follower.next_lsn}"

    def do_follow_live(self, line: Line) -> str:
        log, records = self.log(line), line.many_data("records")
        start = position(line, "from", "start")

        async def follow() -> list[libwal.Record]:
            follower = log.follow(**start)

            async def write() -> None:
                for record in records:
                    await asyncio.sleep(_PAUSE)
                    await log.append_async(record)

            writing = asyncio.create_task(write())
            found = [await anext(follower) for _ in records]
            await writing
            return found

        for record in asyncio.run(follow()):
            self.record(record)
        return f"ok count={len(self.lines)}"

    def do_follow_until_closed(self, line: Line) -> str:
        log = self.log(line)
        follower = log.follow(**position(line, "from", "start"))
        ended: list[libwal.WalError] = []

        def wait() -> None:
            try:
                for record in follower:
                    self.record(record)
            except libwal.WalError as error:
                ended.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(_PAUSE)
        log.close()
        thread.join()
        raise ended[0]

    # Changing and looking.

    def do_trim(self, line: Line) -> str:
        return f"ok first={dash(self.log(line).trim(line.number('before')))}"

    def do_truncate(self, line: Line) -> str:
        self.log(line).truncate(line.number("after"))
        return "ok"

    def do_reset(self, line: Line) -> str:
        self.log(line).reset_to(line.number("next"))
        return "ok"

    def do_value_set(self, line: Line) -> str:
        self.log(line).values[line.data("key")] = line.data("value")
        return "ok"

    def do_value_get(self, line: Line) -> str:
        value = self.log(line).values.get(line.data("key"))
        return "ok none" if value is None else f"ok value={print_bytes(value)}"

    def do_value_delete(self, line: Line) -> str:
        try:
            del self.log(line).values[line.data("key")]
        except KeyError:
            return "ok existed=0"
        return "ok existed=1"

    def do_value_update(self, line: Line) -> str:
        words = line.items("values")
        values = [None if word == "none" else read_bytes(word) for word in words]
        self.log(line).values.update(list(zip(line.many_data("keys"), values, strict=True)))
        return "ok"

    def do_value_list(self, line: Line) -> str:
        for key, value in self.log(line).values.items():
            self.lines.append(f"value key={print_bytes(key)} value={print_bytes(value)}")
        return f"ok count={len(self.lines)}"

    def do_stats(self, line: Line) -> str:
        stats = self.log(line).stats()
        ends = f"first={dash(stats.first_lsn)} last={dash(stats.last_lsn)} next={stats.next_lsn}"
        return (
            f"ok level={stats.durability} poisoned={int(stats.poisoned is not None)} {ends} "
            f"records={stats.records} record_bytes={stats.record_bytes} "
            f"rotations={stats.rotations} trimmed={stats.trimmed} segments={len(stats.segments)}"
        )

    def do_segments(self, line: Line) -> str:
        for segment in self.log(line).stats().segments:
            ends = f"first={segment.first_lsn} last={dash(segment.last_lsn)}"
            self.lines.append(f"segment id={segment.id} {ends} sealed={int(segment.sealed)}")
        return f"ok count={len(self.lines)}"

    def do_poisoned(self, line: Line) -> str:
        return f"ok poisoned={int(self.log(line).stats().poisoned is not None)}"

    def do_copy_to(self, line: Line) -> str:
        report = self.log(line).copy_to(self.directory(line))
        ends = f"first={dash(report.first_lsn)} last={dash(report.last_lsn)}"
        return f"ok records={report.records} {ends}"

    def do_info(self, line: Line) -> str:
        info = libwal.info(self.directory(line))
        ends = f"first={dash(info.first_lsn)} last={dash(info.last_lsn)} next={info.next_lsn}"
        return (
            f"ok clean={int(info.clean)} writer={int(info.writer_alive)} epoch={info.epoch} {ends} "
            f"segments={len(info.segments)} values={info.values} case={info.recovery.case}"
        )

    def do_verify(self, line: Line) -> str:
        report = libwal.verify(self.directory(line))
        for finding in report.findings:
            error = finding.error
            first, last = (error.lsns[0], error.lsns[-1]) if error.lsns else (None, None)
            self.lines.append(
                f"finding kind={kind(error)} segment={dash(error.segment)} "
                f"offset={error.offset or 0} first={dash(first)} last={dash(last)} "
                f"at_stake={int(finding.records_at_stake)}"
            )
        ends = f"first={dash(report.first_lsn)} last={dash(report.last_lsn)}"
        return (
            f"ok findings={len(report.findings)} segments={report.segments} "
            f"records={report.records} {ends} torn={int(report.torn_tail is not None)}"
        )

    def do_repair(self, line: Line) -> str:
        report = libwal.repair(self.directory(line), dry_run=line.yes("dry_run", False))
        for lost in report.lost:
            self.lines.append(f"lost first={lost[0]} last={lost[-1]}")
        return (
            f"ok changed={int(report.changed)} actions={int(bool(report.actions))} "
            f"backup={int(report.backup is not None)}"
        )


def run(scenario: Path, scratch: Path) -> None:
    """Takes the scenario and prints its transcript."""
    session = Session(scratch, scenario.parent / "../golden")
    for number, text in zip(itertools.count(1), scenario.read_text("ascii").splitlines()):
        if not text or text.startswith("#"):
            continue
        try:
            lines = session.take(Line(text))
        except (Misread, OSError, ValueError, KeyError) as error:
            if isinstance(error, libwal.WalError):
                raise
            raise Misread(f"{scenario}:{number}: {text}: {error}") from error
        print(f"> {text}", *lines, sep="\n", flush=True)
    for (kept, _), log in session.kept.items():
        if kept == "log":
            try:
                log.close()
            except libwal.WalError:
                continue
