"""Lets people use commands at a steady rate while two processes on one PostgreSQL are ended and started in turns.

``uv run python -m benchmarks.two_processes`` kills them with SIGKILL, ``--stop`` stops them with SIGTERM, as a rolling
restart does. Exit code 1 if an interaction was answered twice or lost.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.measuring import percentile
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import LiveBot
from tests.e2e.two_processes import Report, TwoProcesses, kill, stop
from tests.support import postgres
from tests.support.discord_server import LoopbackDiscord


async def run(options: argparse.Namespace) -> tuple[Report, TwoProcesses]:
    """Do all interactions and return what became of them."""
    with postgres.database() as url, tempfile.TemporaryDirectory() as folder:
        async with LoopbackDiscord() as server, SimulatedProviders(World(), mannco_as_admin=True) as providers:
            live = LiveBot(server, providers, Path(folder), url=url)
            async with TwoProcesses.running(live, processes=options.processes) as desk:
                report = await desk.rush(stop if options.stop else kill, rate=options.rate, number=options.interactions)
                print("done twice:", desk.done_twice())
            live.assert_secrets_kept()
            return report, desk


def show(report: Report, desk: TwoProcesses) -> int:
    """Print the figures; return the exit code."""
    named = desk.named(report.unanswered)
    print(f"{len(report.records)} interactions, {len(report.in_flight)} ends of a process")
    print(f"answered twice: {len(report.twice)}; answered late: {len(report.late)}")
    print(f"asked to use the command again: {len(report.interrupted)}")
    in_flight = len(report.unanswered) - len(report.lost)
    print(f"unanswered: {len(report.unanswered)}, of which in flight at an end: {in_flight}")
    print(f"unanswered, by command: {dict(Counter(record.name.split(':')[0] for record in report.unanswered))}")
    print(f"named in a log: {len(named)} of them")
    began = report.records[0].dispatched_at
    print("ends, in seconds from the first one on:", ", ".join(f"{at - began:.2f}" for at in report.ended_at))
    for each in (*report.unanswered, *report.twice):
        answer = "none" if each.acknowledged_at is None else f"{each.acknowledged_after:.2f} s"
        print(f"  {each.dispatched_at - began:.2f} s {each.name} first answer {answer} {each.refusals} {each in named}")
    answered = [each.acknowledged_after * 1000 for each in report.records if each.acknowledged_at is not None]
    shown = ", ".join(f"{part:.0%} {percentile(answered, part):.0f} ms" for part in (0.5, 0.95, 0.99, 1.0))
    print(f"first answer: {shown}")
    print(f"a process was back after: {', '.join(f'{each:.1f} s' for each in report.seconds)}")
    return 1 if report.twice or report.lost or len(named) < len(report.unanswered) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50.0, help="interactions a second")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--stop", action="store_true", help="stop the processes in order instead")
    postgres.begin_run()
    try:
        return show(*asyncio.run(run(parser.parse_args())))
    finally:
        postgres.end_run()


if __name__ == "__main__":
    sys.exit(main())
