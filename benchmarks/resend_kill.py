"""Kills the program at random moments around approvals and counts the outcomes of the requests.

``uv run python -m benchmarks.resend_kill --rounds 100 --seed 1`` prints a table; exit code 1 if a promise broke.
``--engine postgres --processes 2`` kills two processes on one PostgreSQL database in turns.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random, randrange

from bot.demo.providers import SimulatedProviders
from bot.demo.trades import ResendAnswer
from bot.demo.world import World
from tests.e2e.killed import HANGING, KilledBot, Moment, Report, Round
from tests.e2e.killed_in_turns import Killed, KilledInTurns
from tests.e2e.live_bot import LiveBot
from tests.support import postgres
from tests.support.discord_server import LoopbackDiscord

_WEIGHTS = {
    Moment.BEFORE: 1,
    Moment.CLICKED: 4,
    Moment.READING: 2,
    Moment.CALLING: 4,
    Moment.ANSWERED: 4,
    Moment.SHOWN: 2,
}
"""How often each moment is drawn."""


def drawn(random: Random) -> Round:
    """Draw a round; a moment after the answer needs a provider that answers."""
    moment = random.choices([*_WEIGHTS], [*_WEIGHTS.values()])[0]
    waits = moment in (Moment.ANSWERED, Moment.SHOWN)
    answer = random.choice([each for each in ResendAnswer if not (waits and each in HANGING)])
    late = random.choice([0.0, 0.0, random.uniform(0.0, 0.1), random.uniform(0.1, 0.6), random.uniform(2.0, 4.0)])
    pause = random.choice([0.0, random.uniform(0.0, 0.02), random.uniform(0.0, 0.2)])
    return Round(moment, answer, late=min(late, 0.6) if waits else late, pause=pause)


async def played(rounds: int, random: Random) -> list[Report]:
    """Play the rounds on one database."""
    reports: list[Report] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            LoopbackDiscord() as server,
            SimulatedProviders(World(), mannco_as_admin=True) as providers,
            KilledBot.opened(LiveBot(server, providers, Path(folder))) as killed,
        ):
            for number in range(1, rounds + 1):
                report = await killed.play(drawn(random))
                reports.append(report)
                for violation in report.violations:
                    print(f"round {number}: {violation}\n  {report}", flush=True)
            await killed.finish()
    return reports


async def played_in_turns(rounds: int, random: Random) -> list[Report]:
    """Play the rounds with two processes: mostly the one that leads is killed, so the other one is next."""
    reports: list[Report] = []
    postgres.begin_run()
    try:
        with tempfile.TemporaryDirectory() as folder, postgres.database() as url:
            async with (
                LoopbackDiscord() as server,
                SimulatedProviders(World(), mannco_as_admin=True) as providers,
                KilledInTurns.opened(LiveBot(server, providers, Path(folder), url=url)) as killed,
            ):
                for number in range(1, rounds + 1):
                    who = random.choices([*Killed], [8, 1, 1, 2])[0]
                    report = await killed.play_turn(drawn(random), who)
                    reports.append(report)
                    took = f"{report.ended_after:.1f} s"
                    print(number, who.name.lower(), report.left, report.end, took, flush=True)
                    for violation in report.violations:
                        print(f"round {number}: {violation}\n  {report}", flush=True)
                await killed.finish()
    finally:
        postgres.end_run()
    return reports


def table(reports: list[Report]) -> str:
    """Count the rounds by the moment of the kill, the state it left, the provider's side, and the end."""
    counted = Counter(
        (
            list(type(report.round.moment)).index(report.round.moment),
            report.round.moment.value,
            report.left or "",
            report.calls,
            "done" if report.is_done else "not done",
            report.end or "",
        )
        for report in reports
    )
    form = "{:<26}{:<10}{:>6}  {:<10}{:<10}{:>7}"
    rows = [form.format("killed", "left", "calls", "provider", "end", "rounds")]
    rows += [form.format(*map(str, key[1:]), counted[key]) for key in sorted(counted)]
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--processes", type=int, choices=[1, 2], default=1)
    options = parser.parse_args()
    if (options.engine, options.processes) not in (("sqlite", 1), ("postgres", 2)):
        parser.error("one process on sqlite, or two on postgres")
    seed = options.seed if options.seed is not None else randrange(1_000_000)
    began = time.monotonic()
    print(f"seed {seed}, {options.rounds} rounds", flush=True)
    play = played if options.processes == 1 else played_in_turns
    reports = asyncio.run(play(options.rounds, Random(seed)))
    broken = sum(len(report.violations) for report in reports)
    print(table(reports))
    ends = ", ".join(f"{end} {number}" for end, number in Counter(report.end for report in reports).most_common())
    calls = sum(report.calls for report in reports)
    print(f"ends: {ends}; calls before the restart: {calls}; violations: {broken}")
    print(f"seed {seed}, {len(reports)} kills in {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
