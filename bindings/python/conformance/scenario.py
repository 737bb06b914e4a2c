"""Lines of a scenario, and the bytes that stand in them."""

from __future__ import annotations

import struct
import zlib


class Misread(Exception):
    """The scenario is wrong: the end."""


class Line:
    """One operation. Words are taken out by name; what nobody took is a mistake."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name, *parts = text.split(" ")
        if not self.name or not text.isascii() or not all("=" in part for part in parts):
            raise Misread("no operation")
        self._words = dict(part.split("=", 1) for part in parts)
        self._left = set(self._words)

    def optional(self, key: str) -> str | None:
        self._left.discard(key)
        return self._words.get(key)

    def word(self, key: str) -> str:
        value = self.optional(key)
        if value is None:
            raise Misread(f"lacks {key}=")
        return value

    def number(self, key: str) -> int:
        return int(self.word(key))

    def maybe(self, key: str) -> int | None:
        value = self.optional(key)
        return None if value is None else int(value)

    def yes(self, key: str, default: bool) -> bool:
        value = self.optional(key)
        return default if value is None else {"0": False, "1": True}[value]

    def items(self, key: str) -> list[str]:
        value = self.word(key)
        return value.split(",") if value else []

    def data(self, key: str) -> bytes:
        return read_bytes(self.word(key))

    def many_data(self, key: str) -> list[bytes]:
        return [read_bytes(item) for item in self.items(key)]

    def all_taken(self) -> None:
        if self._left:
            raise Misread(f"does not know {', '.join(sorted(self._left))}")


class Numbers:
    """The 32-bit numbers of a seed."""

    def __init__(self, seed: int) -> None:
        self._state = ((seed * 2654435761 + 1) & 0xFFFF_FFFF) or 1

    def draw(self) -> int:
        x = self._state
        x ^= (x << 13) & 0xFFFF_FFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFF_FFFF
        self._state = x
        return x


def pattern(seed: int, length: int) -> bytes:
    numbers = Numbers(seed)
    count = -(-length // 4)
    return struct.pack(f"<{count}I", *(numbers.draw() for _ in range(count)))[:length]


def read_bytes(literal: str) -> bytes:
    kind, _, rest = literal.partition(":")
    if kind == "text":
        return rest.encode("ascii")
    if kind == "hex":
        return bytes.fromhex(rest)
    if kind == "zeros":
        return bytes(int(rest))
    if kind == "pattern":
        seed, length = rest.split(":")
        return pattern(int(seed), int(length))
    raise Misread(f"{literal} is no literal")


def print_bytes(data: bytes) -> str:
    return f"hex:{data.hex()}" if len(data) <= 32 else f"{len(data)}:{zlib.crc32(data):08x}"
