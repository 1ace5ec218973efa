"""Half an hour of mixed traffic on a real SkinDesk process: memory, descriptors, threads and journal must stay flat.

``uv run python -m benchmarks.soak`` takes 30 minutes; ``--minutes 4`` is a short run. It prints a line a minute, and at
the end the growth an hour after minute 16 (in a short run: after half), by least squares, with its standard error; exit
code 1 if anything grows, the traffic fails or the process ends. ``--trace FILE`` writes which lines of code hold more
memory at the end.

By minute 16 every cache is as full as it gets: inventories are kept for 15 minutes. The program runs with a real
database file, a loopback Discord and simulated providers on loopback. Some ten interactions a second come from 24
customers and three agents; every kind is repeated at its own pace, and begins again only after its last answer.
"""

import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.measuring import options_of
from benchmarks.process_samples import PROBE, QUANTITIES, TRACE, Trend, medians, sample, trend
from benchmarks.soak_traffic import Crowd, Traffic
from bot.demo.providers import SimulatedProviders
from tests.e2e.live_bot import LiveBot
from tests.support.bot_process import RUN, BotProcess
from tests.support.discord_server import LoopbackDiscord
from tests.support.ports import free_port

SETTLED = 16
"""The minute from which on everything has to be flat."""

_SAMPLES_A_MINUTE = 12
_FAILED_AT_MOST = 0.02
"""The share of the traffic that may fail: a bot that answers nothing stays flat."""


async def watch(
    process: BotProcess, traffic: Traffic, database: Path, probe: Path, minutes: int
) -> list[dict[str, float]]:
    """Print a line a minute and return the minutes; fewer if the process ends."""
    heads = ("anonymous", "resident", "blocks", "descriptors", "threads", "journal", "database", "passes", "pause")
    print("minute " + " ".join(f"{head:>11}" for head in heads) + "  lag ms   done failed", flush=True)
    found: list[dict[str, float]] = []
    began = time.monotonic()
    for minute in range(1, minutes + 1):
        samples = []
        first_lag = traffic.lags[-1] if traffic.lags else (0.0, 0.0)
        for number in range(_SAMPLES_A_MINUTE):
            until = began + 60 * (minute - 1) + 60 / _SAMPLES_A_MINUTE * (number + 1)
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            if process.returncode is not None:
                print(f"the process ended with {process.returncode}:\n{process.stderr[-2000:]}")
                return found
            samples.append(sample(process.pid, database, probe))
        found.append(medians(samples))
        last_lag = traffic.lags[-1] if traffic.lags else first_lag
        lag = (last_lag[0] - first_lag[0]) / max(1.0, last_lag[1] - first_lag[1]) * 1000
        cells = " ".join(f"{found[-1].get(head, 0):>11.2f}" for head in heads)
        counts = f"{traffic.done.total():>6} {traffic.failed.total():>6}"
        print(f"{minute:>6} {cells} {lag:>7.2f} {counts}", flush=True)
        traffic.clean()
    return found


def report(minutes: list[dict[str, float]], settled: int) -> list[Trend]:
    """Print the trends and return them."""
    print(
        f"\nafter minute {settled}, an hour: growth ± its standard error; flat if that shows no more than the tolerance"
    )
    trends = [each for quantity in QUANTITIES if (each := trend(quantity, minutes, settled=settled)) is not None]
    for each in trends:
        print(
            f"{each.quantity.name:<12}{each.quantity.unit:<9}{each.first:>9.2f} at first, {each.level:>9.2f} now,"
            f"{each.slope:>+9.2f} ± {each.error:.2f} (tolerance {each.tolerance:.2f}) "
            f"{'flat' if each.is_flat else 'NOT FLAT'}"
        )
    return trends


async def run(minutes: int, trace: str | None) -> tuple[list[dict[str, float]], list[Trend], Traffic]:
    """Run the traffic and return the minutes, the trends, and what was done."""
    settled = SETTLED if minutes >= SETTLED + 8 else minutes // 2
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(SimulatedProviders(Crowd(), mannco_as_admin=True))
        server = await stack.enter_async_context(LoopbackDiscord())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        probe, listen = folder / "probe.json", f"127.0.0.1:{free_port()}"
        program = PROBE.format(path=str(probe)) + RUN
        if trace is not None:
            seconds = {"first": 60 * settled + 30, "second": 60 * (minutes - settled - 1)}
            program = TRACE.format(path=trace, **seconds) + program
        live = LiveBot(server, providers, folder)
        settings = {"observability__log_level": "warning", "observability__listen": listen}
        process = await stack.enter_async_context(live.bot(program=program, **settings))
        await process.wait_ready()
        traffic = Traffic(live, process, listen, folder)
        await traffic.set_up()
        loops = [asyncio.ensure_future(each) for each in traffic.loops()]
        try:
            found = await watch(process, traffic, live.database, probe, minutes)
        finally:
            for each in loops:
                each.cancel()
            results = await asyncio.gather(*loops, return_exceptions=True)
        trends = report(found, settled)
        print(f"\nactivities: {dict(sorted(traffic.done.items()))}")
        print(f"not as wished: {dict(sorted(traffic.failed.items()))}")
        print(f"interactions by outcome: {dict(sorted(traffic.outcomes.items()))}")
        broken = [each for each in results if isinstance(each, Exception)]
        if broken:
            raise ExceptionGroup("the traffic broke", broken)
        return found, trends, traffic


def main() -> int:
    parser = options_of(__doc__, minutes=30)
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write which lines of code hold more at the end")
    options = parser.parse_args()
    minutes, trends, traffic = asyncio.run(run(options.minutes, options.trace and str(options.trace.resolve())))
    if options.json is not None:
        kept = {"minutes": minutes, "activities": traffic.done, "failed": traffic.failed}
        options.json.write_text(json.dumps(kept, indent=2), encoding="utf-8")
    is_whole = len(minutes) == options.minutes and traffic.failed.total() <= _FAILED_AT_MOST * traffic.done.total()
    return 0 if is_whole and trends and all(each.is_flat for each in trends) else 1


if __name__ == "__main__":
    sys.exit(main())
