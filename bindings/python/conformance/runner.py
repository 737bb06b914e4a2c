"""The conformance runner in Python: see bindings/conformance/README.md."""

from __future__ import annotations

import sys
from pathlib import Path

import kills
import libwal
import session
from scenario import Misread


def main(words: list[str]) -> int:
    try:
        match words:
            case ["run", scenario, scratch]:
                session.run(Path(scenario), Path(scratch))
            case ["write", directory, count, seed]:
                kills.write(Path(directory), int(count), int(seed))
            case ["read", directory]:
                kills.read(Path(directory))
            case _:
                print("usage: runner.py run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR")
                return 2
    except Misread as error:
        print(f"runner.py: {error}", file=sys.stderr)
        return 2
    except libwal.WalError as error:
        print(f"runner.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
