"""Lists the files of a wheel or an sdist, with VERSION for the version."""

import sys
import tarfile
import zipfile
from pathlib import Path


def names(package: Path) -> list[str]:
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            return wheel.namelist()
    with tarfile.open(package) as sdist:
        return [member.name for member in sdist if member.isfile()]


for name in sorted(names(Path(sys.argv[1]))):
    told = name.replace(sys.argv[2], "VERSION")
    # What the engine consists of is its own crate's business; here counts that it is there.
    if "/wal-core/" in told and not told.endswith(("/wal-core/Cargo.toml", "/wal-core/src/lib.rs")):
        continue
    print(told)
