"""What it costs to count calls for several processes, and whether two of them keep a provider's limit.

``uv run python -m benchmarks.shared_windows`` prints a table; ``--json FILE`` saves it. Exit code 1 if a bound is
missed.

PostgreSQL runs with fsync, on this machine's disk. Two processes count calls in one window, each with as many tasks as
a transport has slots. The reference is a counter, the least that can be exact: one statement that adds 1 to one row.
Then two processes press the limit of an unverified AssetPay client, 10 calls a minute, for ``--minutes``. The provider
answers after up to 0.3 seconds and notes when each call arrives. Every minute one of the two is killed and started
again.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import psycopg

from benchmarks.measuring import Fact, Ratio, options_of, percentile, ratio_of, show
from bot.domain.secrets import Secret
from bot.providers.rate_limits import MINUTE
from bot.providers.shared_windows import Names, SharedWindow
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.windows import PostgresWindows
from bot.system_clock import SystemClock
from tests.providers.pressing import LIMIT, CountingProvider, pressing
from tests.support import postgres
from tests.support.postgres import Server

TASKS = 16
SECONDS = 3.0
ROUNDS = 3
AT_LEAST = 0.2
SLOWER = 3.0
_FREE = 1_000_000
_SHORT = timedelta(seconds=0.5)
_COUNT = "INSERT INTO counter (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = counter.n + 1 RETURNING n"


async def _repeat(take: Callable[[], Awaitable[object]]) -> list[float]:
    """Return the milliseconds of each take within the time, by all tasks."""
    until = time.monotonic() + SECONDS
    took: list[float] = []

    async def repeat() -> None:
        while (began := time.monotonic()) < until:
            await take()
            took.append((time.monotonic() - began) * 1000)

    await asyncio.gather(*(repeat() for _ in range(TASKS)))
    return took


async def _count_calls(url: str, what: str) -> None:
    """Be one of the processes: count, and print the number and the slow end of the times."""
    async with PostgresDatabase.open(url) as database:
        windows = PostgresWindows(database)
        within = timedelta(0)
        window = SharedWindow(
            "x", _FREE, _SHORT, SystemClock(), shared=windows, names=Names(Secret(what)), route=("x",), within=within
        )

        async def call() -> None:
            async with window.call():
                pass

        took = await _repeat(call if what == "window" else lambda: database.run(_COUNT))
        await windows.close()
    sys.stdout.write(json.dumps([len(took), percentile(took, 0.99)]))


async def _together(url: str, what: str) -> tuple[float, float]:
    """Return the takes a second of two processes, and the 99th percentile of the slower one."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.shared_windows", "--count", what, url, stdout=PIPE
        )
        for _ in range(2)
    ]
    counted = [json.loads((await process.communicate())[0]) for process in processes]
    return sum(number for number, _ in counted) / SECONDS, max(slow for _, slow in counted)


async def cost(url: str) -> list[Ratio | Fact]:
    """Measure takes a second on one window against updates of one row."""
    rounds, slow = [], []
    for _ in range(ROUNDS):
        (ours, slowest), (bare, slowest_bare) = await _together(url, "window"), await _together(url, "counter")
        rounds.append((ours, bare))
        slow.append((slowest, slowest_bare))
    return [
        ratio_of("takes a second on one window, two processes", "1/s", rounds, bound=AT_LEAST, at_least=True),
        ratio_of("the slowest 1 % of takes, under that load", "ms", slow, bound=SLOWER),
    ]


async def pressure(url: str, minutes: int) -> list[Ratio | Fact]:
    """Press the limit with two processes, each killed in its turn, and count what arrives at the provider."""
    async with CountingProvider() as provider, AsyncExitStack() as stack:
        until = time.monotonic() + 60 * minutes

        async def start() -> asyncio.subprocess.Process:
            left = max(1.0, until - time.monotonic())
            return await stack.enter_async_context(pressing(url, provider, seconds=left, per=MINUTE.total_seconds()))

        processes = [await start(), await start()]
        for turn in itertools.count():
            await asyncio.sleep(min(60.0, max(0.0, until - time.monotonic())))
            if until - time.monotonic() < 1:
                break
            processes[turn % 2].kill()
            processes[turn % 2] = await start()
        for process in processes:
            await process.wait()
    arrived = len(provider.arrived)
    sys.stderr.write(f"{arrived} calls arrived in {minutes} minutes, {arrived / minutes:.1f} a minute\n")
    return [Fact("calls in the fullest minute at the provider", "", provider.most_in(60), LIMIT)]


async def measure(options: argparse.Namespace) -> list[Ratio | Fact]:
    """Run everything on a server of its own."""
    with postgres.own_server() as server:
        async with PostgresDatabase.open(server.url()):
            pass  # makes the tables
        _prepare(server)
        results = await cost(server.url())
        return [*results, *(await pressure(server.url(), options.minutes) if options.minutes else [])]


def _prepare(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        for setting in ("fsync", "full_page_writes"):
            admin.execute(f"ALTER SYSTEM SET {setting} = on".encode())
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("CREATE TABLE counter (id bigint PRIMARY KEY, n bigint)")


def main() -> int:
    """Measure; with ``--count`` be one of the processes that count."""
    parser = options_of(__doc__, minutes=10)
    parser.add_argument("--count", nargs=2, metavar=("WHAT", "DATABASE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count is not None:
        what, url = options.count
        asyncio.run(_count_calls(url, what))
        return 0
    return show(asyncio.run(measure(options)), options)


if __name__ == "__main__":
    sys.exit(main())
