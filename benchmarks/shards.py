"""Measures what each further shard of a process costs: memory, threads, processor time at the start and idle.

``uv run python -m benchmarks.shards`` prints a table; ``--json FILE`` saves the costs. Each shard has one server, so
the figures are those of the connections; servers cost the same whatever shard they are in.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Fact, cpu_seconds, options_of, resident_mb, show
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.support.discord_server import LoopbackDiscord

COUNTS = (1, 4, 16, 32)
MEMORY_WITHIN = 0.2
"""MB a shard."""

START_WITHIN = 15.0
"""Milliseconds of processor time a shard."""

IDLE_WITHIN = 0.01
"""Percent of a core a shard."""


def threads(pid: int) -> float:
    """Return how many threads a process has."""
    return float(Path(f"/proc/{pid}/status").read_text("ascii").partition("Threads:")[2].split()[0])


async def measured(folder: Path, count: int, *, seconds: int) -> dict[str, float]:
    """Return what a process with so many shards uses."""
    async with LoopbackDiscord() as server, SimulatedProviders(World()) as providers:
        server.world.shards = count
        server.world.session_starts["max_concurrency"] = count
        live = LiveBot(server, providers, folder)
        guilds = [server.add_guild(shard=(number, count)) for number in range(count)]
        named = ",".join(str(guild.id) for guild in (live.guild, *guilds))
        async with live.bot(discord__guild_ids=named, observability__log_level="info") as bot:
            await bot.wait_line("ready guilds=", within=60.0)
            started = cpu_seconds(bot.pid)
            await asyncio.sleep(5)
            before, memory = cpu_seconds(bot.pid), resident_mb(bot.pid)
            await asyncio.sleep(seconds)
            idle = (cpu_seconds(bot.pid) - before) / seconds * 100
            running = threads(bot.pid)
    return {"memory": memory, "threads": running, "start": started * 1000, "idle": idle}


async def run(options: argparse.Namespace) -> list[Fact]:
    """Measure processes of more and more shards, and fit a line to each figure."""
    rows: list[tuple[int, dict[str, float]]] = []
    for count in COUNTS * options.rounds:
        with tempfile.TemporaryDirectory() as folder:
            rows.append((count, await measured(Path(folder), count, seconds=options.seconds)))
        print(count, {name: round(value, 3) for name, value in rows[-1][1].items()}, flush=True)
    slopes = {
        name: statistics.linear_regression([count for count, _ in rows], [row[name] for _, row in rows]).slope
        for name in rows[0][1]
    }
    return [
        Fact("memory of a further shard", "MB", slopes["memory"], MEMORY_WITHIN),
        Fact("threads of a further shard (its heartbeat)", "", slopes["threads"], 1.05),
        Fact("processor time of its start", "ms", slopes["start"], START_WITHIN),
        Fact("processor time while idle, of a core", "%", slopes["idle"], IDLE_WITHIN),
    ]


def main() -> int:
    options = options_of(__doc__, rounds=2, seconds=45).parse_args()
    return show(asyncio.run(run(options)), options)


if __name__ == "__main__":
    sys.exit(main())
