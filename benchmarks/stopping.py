"""The time that a stop takes during each long job.

``uv run python -m benchmarks.stopping`` prints a table. Each job runs in a process of its own on the loopback Discord
and the simulated providers; ``skindesk run`` gets SIGTERM, the other commands Ctrl+C.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.e2e.long_jobs import COMMANDS, RUNNING, STARTING, LongJob
from tests.support.discord_server import LoopbackDiscord


async def measured(job: LongJob) -> float | None:
    """Return the seconds until the process has ended; None if it takes too long."""
    with tempfile.TemporaryDirectory() as folder:
        async with LoopbackDiscord() as server, SimulatedProviders(World(), mannco_as_admin=True) as providers:
            try:
                return await job.stopped(LiveBot(server, providers, Path(folder)))
            except TimeoutError:
                return None


def main() -> int:
    failed = False
    print("| during | ends after |\n|---|---|")
    for job in (*RUNNING, *STARTING, *COMMANDS):
        seconds = asyncio.run(measured(job))
        failed |= seconds is None
        print(f"| {job.name} | {'**more than 5 s**' if seconds is None else f'{seconds:.1f} s'} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
