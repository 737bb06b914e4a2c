"""The words of scenarios: arguments for calls, and results as text."""

from __future__ import annotations

import re
from typing import Any

import libwal
from scenario import Line, print_bytes


def terms(line: Line) -> dict[str, Any]:
    """What an append asks for beyond the log's options."""
    given: dict[str, Any] = {}
    if (level := line.optional("level")) is not None:
        given["durability"] = level
    if (moment := line.maybe("time")) is not None:
        given["time"] = moment
    match line.optional("wait"):
        case None | "block":
            pass
        case "try":
            given["timeout"] = 0
        case wait:
            given["timeout"] = int(wait) / 1000
    return given


def position(line: Line, key: str, argument: str) -> dict[str, Any]:
    word = line.word(key)
    if word in ("first", "end"):
        return {argument: word}
    if word.startswith("time:"):
        return {"from_time": int(word.removeprefix("time:"))}
    return {argument: int(word)}


def milliseconds(line: Line, key: str) -> float | None:
    value = line.maybe(key)
    return None if value is None else value / 1000


def kind(error: libwal.WalError) -> str:
    name = type(error).__name__.removesuffix("Error")
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()


def refusal(error: libwal.WalError) -> str:
    line = f"error {kind(error)}"
    if error.lsn is not None:
        line += f" lsn={error.lsn}"
    if error.segment is not None:
        line += f" segment={error.segment} offset={error.offset or 0}"
    return line


def words(record: libwal.Record) -> str:
    data = print_bytes(record.data)
    return f"lsn={record.lsn} more={int(record.batch_continues)} bytes={data}"


def step(record: libwal.Record | None) -> str:
    return "ok end" if record is None else f"ok {words(record)}"


def ends(lsns: range) -> str:
    return f"ok first={lsns[0]} last={lsns[-1]}"


def dash(value: object) -> str:
    return "-" if value is None else str(value)
