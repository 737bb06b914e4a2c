"""What is done to files without the library."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from scenario import Line, Misread


def take(scratch: Path, golden: Path, line: Line) -> str | None:
    """Takes the line if its operation is one of these."""
    directory = scratch / (line.optional("dir") or "log")
    match line.name:
        case "golden":
            unpack((golden / f"{line.word('name')}.golden").read_text("ascii"), directory)
        case "snapshot":
            snapshot(directory, scratch / line.word("to"))
        case "damage":
            with open(directory / line.word("file"), "r+b") as file:
                file.seek(line.number("offset"))
                byte = file.read(1)[0] ^ line.number("xor")
                file.seek(line.number("offset"))
                file.write(bytes([byte]))
        case "cut_file":
            with open(directory / line.word("file"), "r+b") as file:
                file.truncate(line.number("length"))
        case "remove_file":
            (directory / line.word("file")).unlink()
        case "remove_dir":
            shutil.rmtree(directory)
        case "make_file":
            directory.write_bytes(b"")
        case "exists":
            return f"ok exists={int(directory.exists())}"
        case "sleep":
            time.sleep(line.number("ms") / 1000)
        case _:
            return None
    return "ok"


def unpack(text: str, directory: Path) -> None:
    """Writes the files of a golden log to a directory that is not there yet."""
    directory.mkdir()
    files: dict[str, bytearray] = {}
    content = bytearray()
    for line in text.splitlines():
        match line.split(" "):
            case [""] | ["#", *_]:
                continue
            case ["file", name, length]:
                content = files[name] = bytearray(int(length))
            case [offset, digits]:
                data = bytes.fromhex(digits)
                content[int(offset) : int(offset) + len(data)] = data
            case _:
                if not line.startswith("#"):
                    raise Misread(f"a golden log has {line}")
    for name, whole in files.items():
        (directory / name).write_bytes(whole)


def snapshot(source: Path, target: Path) -> None:
    """Copies the files of a directory as they are now."""
    target.mkdir()
    for path in source.iterdir():
        try:
            shutil.copyfile(path, target / path.name)
        except FileNotFoundError:
            continue
