"""Kills a writer in the middle of its work and shows that nothing acknowledged is lost.

The program starts itself a second time; that process appends numbers and prints each one after it
was acknowledged, until it is killed.

    python recover.py /tmp/numbers
"""

import subprocess
import sys

import libwal


def write(path: str) -> None:
    """Appends the next numbers for ever: record n is the number n."""
    with libwal.open(path) as log:
        while True:
            number = log.next_lsn
            log.append(str(number).encode())
            print(number, flush=True)


def main(path: str) -> None:
    command = [sys.executable, __file__, path, "write"]
    acknowledged = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged % 1000 == 0:
                # SIGKILL: the process has no chance to tidy up. What it still printed is read on.
                writer.kill()

    with libwal.open(path) as log:
        found = log.recovery
        print(f"recovered in {found.duration * 1000:.1f} ms: {found.case}")
        if found.cut is not None:
            print(f"cut {found.cut.bytes} bytes: {found.cut.reason}")
        for number in range(1, acknowledged + 1):
            assert log[number] == str(number).encode(), f"record {number}"
        print(f"all {acknowledged} acknowledged records are there, the next LSN is {log.next_lsn}")


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else "numbers.wal"
    if sys.argv[2:] == ["write"]:
        write(path)
    else:
        main(path)
