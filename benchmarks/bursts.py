"""Times many interactions at once, and small ones next to a very large one.

``uv run python -m benchmarks.bursts`` prints a table; ``--json FILE`` saves it. Exit code 1 if a bound is missed. The
reference is the bare bot of ``benchmarks/interactions.py``, in rounds that alternate with SkinDesk's.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.interactions import (
    LARGE,
    Side,
    Use,
    answer_of_provider,
    bare_side,
    canned_provider,
    shown_by,
    skindesk_side,
    with_trades,
)
from benchmarks.measuring import Fact, Ratio, cpu_seconds, options_of, percentile, ratio_of, show
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import answer_of

_LATEST = 3.0
_RATE = 0.6
_ACKNOWLEDGED_WITHIN_MS = 50.0
_EACH = 1 / 50
_MANY = 10_000


async def burst(side: Side, what: str, number: int) -> tuple[float, float]:
    """Start ``number`` interactions at once; return those finished a second, and the latest acknowledgement."""
    began = time.monotonic()
    records = await asyncio.gather(*(side.uses[what]() for _ in range(number)))
    await asyncio.gather(*(record.finished(60.0) for record in records))
    seconds = max(record.finished_at or 0.0 for record in records) - began
    return number / seconds, max(record.acknowledged_after for record in records)


async def steadily(use: Use, seconds: float) -> list[float]:
    """Start an interaction every 20 ms; return the milliseconds to the acknowledgements."""
    waiting = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        waiting.append(asyncio.create_task(use()))
        await asyncio.sleep(_EACH)
    records = await asyncio.gather(*waiting)
    await asyncio.gather(*(record.finished(30.0) for record in records))
    return [record.acknowledged_after * 1000 for record in records]


async def large(side: Side) -> None:
    """Look ten thousand items up, and check that they came."""
    await asyncio.sleep(0.25)
    assert f"{_MANY:,} items" in answer_of(await (await side.uses[LARGE]()).finished(30.0)).text


async def looking_up(side: Side, number: int, at_once: int = 4) -> None:
    """Look up so many inventories that are not cached."""

    async def agent() -> None:
        for _ in range(number // at_once):
            await (await side.uses["uncached /inventory"]()).finished(30.0)

    await asyncio.gather(*(agent() for _ in range(at_once)))


async def under_load(ours: Side, *, rounds: int, lookups: int) -> list[Fact]:
    """Time refused commands: alone, next to a large answer, and while the caches fill up."""
    use = ours.uses["refused command"]
    quiet = [each for _ in range(rounds) for each in await steadily(use, 2.0)]
    loud: list[float] = []
    for _ in range(rounds):
        acknowledged, _ = await asyncio.gather(steadily(use, 4.0), large(ours))
        loud += acknowledged
    filling: list[float] = []
    lookups_task = asyncio.create_task(looking_up(ours, lookups))
    while not lookups_task.done():
        filling += await steadily(use, 1.0)
    await lookups_task
    facts = []
    for what, times in (
        ("alone", quiet),
        (f"next to {_MANY:,} items", loud),
        (f"next to {lookups:,} lookups", filling),
    ):
        facts.append(
            Fact(f"50 a second {what}: acknowledged, p99", "ms", percentile(times, 0.99), _ACKNOWLEDGED_WITHIN_MS)
        )
        facts.append(Fact(f"50 a second {what}: acknowledged, last", "ms", max(times), _ACKNOWLEDGED_WITHIN_MS))
    return facts


async def click_cost(ours: Side, bare: Side, clicks: int = 100) -> float:
    """Return the cost of a page turn against the bare bot's, in alternating rounds."""
    costs = []
    for _ in range(3):
        spent = []
        for side in (ours, bare):
            before = cpu_seconds(side.process.pid)
            for _ in range(clicks):
                await (await side.uses["page turn"]()).finished()
            spent.append(cpu_seconds(side.process.pid) - before)
        costs.append(spent[0] / spent[1])
    return statistics.median(costs)


async def run(options: argparse.Namespace) -> list[Ratio | Fact]:
    """Measure everything."""
    rounds, number = options.rounds, options.number
    gc.disable()  # this program's own collections would count as delays of the bot
    world = with_trades(World())
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(SimulatedProviders(world, mannco_as_admin=True))
        address = await stack.enter_async_context(canned_provider(await answer_of_provider(providers, world)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("ours", "bare"):
            (folder / name).mkdir()
        ours = await skindesk_side(stack, folder / "ours", providers, address)
        answers = await shown_by(ours) | {"lookup": f"{address}/secure/inventory"}
        bare = await bare_side(stack, folder / "bare", answers)
        ratios: list[Ratio] = []
        facts: list[Fact] = []
        for what in ("cached /inventory", "page turn", "refused command"):
            pairs = []
            latest = 0.0
            for number_of_round in range(rounds + 1):
                (rate, late), (bare_rate, _) = [await burst(side, what, number) for side in (ours, bare)]
                if number_of_round:  # the first round warms up
                    pairs.append((rate, bare_rate))
                    latest = max(latest, late)
            ratios.append(ratio_of(f"{number} at once, {what}", "1/s", pairs, bound=_RATE, at_least=True))
            facts.append(Fact(f"{number} at once, {what}: latest acknowledgement", "s", latest, _LATEST))
        facts += await under_load(ours, rounds=rounds, lookups=options.lookups)
        few = [await click_cost(ours, bare) for _ in range(rounds)]
        await asyncio.gather(*(ours.uses["cached /inventory"]() for _ in range(options.pagers)))
        await burst(ours, "cached /inventory", 1)
        many = [await click_cost(ours, bare) for _ in range(rounds)]
        pairs = list(zip(many, few, strict=True))
        ratios.append(ratio_of(f"a click with {options.pagers} pagers more, to before", "×", pairs, bound=1.3))
    return [*ratios, *facts]


def main() -> int:
    parser = options_of(__doc__, rounds=3, number=500, pagers=1_000, lookups=2_000)
    options = parser.parse_args()
    return show(asyncio.run(run(options)), options)


if __name__ == "__main__":
    sys.exit(main())
