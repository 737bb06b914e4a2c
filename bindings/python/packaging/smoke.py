"""What an installed package must do, with nothing but the package in reach."""

import asyncio
import importlib.metadata
import importlib.resources
import sys

import libwal

assert libwal.__file__ is not None
assert "site-packages" in libwal.__file__, libwal.__file__
assert importlib.metadata.version("libwal") == libwal.__version__
assert importlib.resources.files("libwal").joinpath("py.typed").is_file()

with libwal.open(sys.argv[1]) as log:
    assert log.append(b"one") == 1
    assert log.append_batch([b"two", b"three"]) == range(2, 4)


async def main() -> None:
    async with await libwal.open_async(sys.argv[1]) as log:
        assert log.recovery.case == "clean"
        assert await log.append_async(b"four") == 4
        assert [data for _, data in log] == [b"one", b"two", b"three", b"four"]
        assert (await anext(log.follow(4))).data == b"four"


asyncio.run(main())
assert libwal.verify(sys.argv[1]).findings == []
print("libwal", libwal.__version__, "works on Python", sys.version.split()[0])
