"""Measures a start, and memory: idle, and after thousands of lookups.

``uv run python -m benchmarks.start`` prints a table; ``--json FILE`` saves it. The reference is a bare discord.py bot
with similar commands; each start is a process of its own on a loopback Discord.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from contextlib import AsyncExitStack, closing
from itertools import cycle
from pathlib import Path

from benchmarks.interactions import answer_of_provider, canned_provider, strangers
from benchmarks.measuring import Ratio, cpu_seconds, options_of, ratio_of, resident_mb, show
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.bot_process import BotProcess
from tests.support.discord_server import LoopbackDiscord

IMPORTS = ("import bot.__main__, bot.config, bot.app", "import benchmarks.bare_bot")
BARE = "import asyncio\nfrom benchmarks.bare_bot import main\nasyncio.run(main())\n"
ANSWERS = json.dumps({name: {"title": name} for name in ("inventory", "page", "trades", "refused")} | {"lookup": ""})
READY_WITHIN = 2.0
IDLE_WITHIN = 1.3
GROWN_WITHIN = 5.0
FIRST = 0.2
"""The share of lookups after which caches and pools are full and memory is compared."""
AGENTS = 60
AT_ONCE = 8
ROOT = Path(__file__).parents[1]


async def imported(program: str) -> float:
    """Return the milliseconds of a process that only runs these imports."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT, stderr=DEVNULL)
    assert await process.wait() == 0
    return (time.perf_counter() - began) * 1000


async def started(process: BotProcess) -> tuple[float, float, float]:
    """Start, and return the milliseconds until it is ready, its processor time by then, and its idle MB."""
    began = time.perf_counter()
    async with process:
        await process.wait_ready()
        ready, worked = (time.perf_counter() - began) * 1000, cpu_seconds(process.pid) * 1000
        await asyncio.sleep(1.5)  # until one-off work after the start is over
        return ready, worked, resident_mb(process.pid)


async def starting(folder: Path, providers: SimulatedProviders, *, rounds: int) -> list[Ratio]:
    """Compare imports, starts and idle memory."""
    imports: list[tuple[float, float]] = []
    starts: list[tuple[tuple[float, float, float], tuple[float, float, float]]] = []
    async with LoopbackDiscord() as server, LoopbackDiscord() as other:
        live = LiveBot(server, providers, folder)
        other.add_guild()
        (folder / "answers.json").write_text(ANSWERS, encoding="utf-8")
        for number in range(rounds + 1):
            pair = [await imported(program) for program in IMPORTS]
            ours = await started(live.bot(observability__log_level="warning"))
            bare = await started(BotProcess(other, cwd=folder, program=BARE, arguments=()))
            if number:  # the first round writes bytecode and the database
                imports.append((pair[0], pair[1]))
                starts.append((ours, bare))
    return [
        ratio_of("import", "ms", imports),
        ratio_of("ready", "ms", [(a[0], b[0]) for a, b in starts], bound=READY_WITHIN),
        ratio_of("CPU until ready", "ms", [(a[1], b[1]) for a, b in starts]),
        ratio_of("memory, idle", "MB", [(a[2], b[2]) for a, b in starts], bound=IDLE_WITHIN),
    ]


async def looking_up(folder: Path, providers: SimulatedProviders, *, lookups: int) -> list[Ratio]:
    """Look up inventories, half of them cached, and compare memory early and at the end."""
    async with AsyncExitStack() as stack:
        body = await answer_of_provider(providers, providers.world)
        address = await stack.enter_async_context(canned_provider(body))
        server = await stack.enter_async_context(LoopbackDiscord())
        live = LiveBot(server, providers, folder)
        settings = {"providers__assetpay__base_url": address, "providers__assetpay__verified": "true"}
        process = await stack.enter_async_context(live.bot(**settings, observability__log_level="warning"))
        await process.wait_ready()
        await live.set_up()
        agents = cycle([live.guild.add_member(f"agent{number}", live.support) for number in range(AGENTS)])
        unknown = strangers()
        resident: dict[int, float] = {}
        answered = {"inventories": 0, "anything else": 0}

        async def person(numbers: range) -> None:
            for number in numbers:
                asked = live.world.customer.trade_url if number % 2 else next(unknown)
                record = await (await live.begin(next(agents), "inventory", tradeurl=asked)).finished(30.0)
                shown = answer_of(record)
                answered["inventories" if shown.custom_ids else "anything else"] += 1
                server.requests.clear()

        done = 0
        for until in (50, int(lookups * FIRST), lookups):
            each = range(done, until)
            await asyncio.gather(*(person(each[number::AT_ONCE]) for number in range(AT_ONCE)))
            done = until
            resident[until] = resident_mb(process.pid)
            print(f"after {until:>6,} lookups: {resident[until]:.1f} MB; {answered}", flush=True)
        with closing(sqlite3.connect(folder / "skindesk.db")) as connection:
            (pagers,) = connection.execute("SELECT count(*) FROM snapshots").fetchone()
        print(f"open pagers: {pagers:,}")
        early, late = resident[int(lookups * FIRST)], resident[lookups]
    return [
        ratio_of(f"memory after {lookups:,} lookups, to {int(lookups * FIRST):,}", "MB", [(late, early)]),
        ratio_of(f"growth of it, to {GROWN_WITHIN:g} MB", "MB", [(max(late - early, 0.0), GROWN_WITHIN)], bound=1.0),
    ]


async def run(options: argparse.Namespace) -> list[Ratio]:
    """Measure everything."""
    async with SimulatedProviders(World(), mannco_as_admin=True) as providers:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            ratios = await starting(Path(one), providers, rounds=options.rounds)
            if options.lookups:
                ratios += await looking_up(Path(other), providers, lookups=options.lookups)
            return ratios


def main() -> int:
    parser = options_of(__doc__, rounds=7, lookups=10_000)
    options = parser.parse_args()
    return show(asyncio.run(run(options)), options)


if __name__ == "__main__":
    sys.exit(main())
