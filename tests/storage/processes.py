"""Short programs that run in a process of their own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which a program hangs."""

HOLD = """
import asyncio, sys
from pathlib import Path
from bot.storage.sqlite.database import SqliteDatabase

async def main():
    async with SqliteDatabase.open(Path(sys.argv[1])):
        print("open", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


WRITE_UNTIL_KILLED = """
import asyncio, itertools, sys
from pathlib import Path
from bot.storage.sqlite.database import SqliteDatabase
from tests.storage.pairs import WITH_PAIRS, pair

numbers = itertools.count()

async def write(db):
    while True:
        print(await db.write(pair(next(numbers))), flush=True)

async def main():
    async with SqliteDatabase.open(Path(sys.argv[1]), migrations=WITH_PAIRS) as db:
        await asyncio.gather(*(write(db) for _ in range(50)))

asyncio.run(main())
"""

LEFT_OPEN = """
import asyncio, sys
from pathlib import Path
from bot.storage.sqlite.database import SqliteDatabase

loop = asyncio.new_event_loop()
opened = SqliteDatabase.open(Path(sys.argv[1]))
db = loop.run_until_complete(opened.__aenter__())
print(len(loop.run_until_complete(db.read("SELECT 1"))), flush=True)
"""


@asynccontextmanager
async def running(program: str, path: Path) -> AsyncIterator[Process]:
    """Run ``program`` on the database at ``path``, and kill it at the end."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(path), stdout=PIPE)
    try:
        async with asyncio.timeout(PATIENCE):
            yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    """Return the next line of a program's output."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()
