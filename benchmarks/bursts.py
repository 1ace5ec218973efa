"""Many interactions at once, and some beside a very large one: who is acknowledged and finished when.

``uv run python -m benchmarks.bursts`` prints tables; ``--json FILE`` keeps them. Exit code 1 where a bound is missed.
The reference is the bare bot of ``benchmarks/interactions.py``, in the same run and in turns with SkinDesk.
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
from bot.demo.providers.all import SimulatedProviders
from bot.demo.world import World
from tests.e2e.live_bot import answer_of

_LATEST = 3.0
_RATE = 0.6
_BESIDE_LARGE = 50.0
_EACH = 1 / 50
_MANY = 10_000


async def burst(side: Side, what: str, number: int) -> tuple[float, float]:
    """Use one thing so often at once; return interactions finished in a second, and the latest acknowledgement."""
    began = time.monotonic()
    records = await asyncio.gather(*(side.uses[what]() for _ in range(number)))
    await asyncio.gather(*(record.finished(60.0) for record in records))
    seconds = max(record.finished_at or 0.0 for record in records) - began
    return number / seconds, max(record.acknowledged_after for record in records)


async def run_in_worker(use: Use, seconds: float) -> list[float]:
    """Let somebody do something every 20 ms for so long; return the milliseconds to the acknowledgements."""
    waiting = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        waiting.append(asyncio.create_task(use()))
        await asyncio.sleep(_EACH)
    records = await asyncio.gather(*waiting)
    await asyncio.gather(*(record.finished(30.0) for record in records))
    return [record.acknowledged_after * 1000 for record in records]


async def large(side: Side) -> None:
    """Ask for ten thousand items, and make sure that they came."""
    await asyncio.sleep(0.25)
    assert f"{_MANY:,} items" in answer_of(await (await side.uses[LARGE]()).finished(30.0)).text


async def looking_up(side: Side, number: int, at_once: int = 4) -> None:
    """Ask for so many inventories that are not in memory yet."""

    async def agent() -> None:
        for _ in range(number // at_once):
            await (await side.uses["uncached /inventory"]()).finished(30.0)

    await asyncio.gather(*(agent() for _ in range(at_once)))


async def beside_others(ours: Side, *, rounds: int, lookups: int) -> list[Fact]:
    """See how soon refused commands are acknowledged: alone, beside a large answer, and while memory fills up."""
    use = ours.uses["refused command"]
    quiet = [each for _ in range(rounds) for each in await run_in_worker(use, 2.0)]
    loud: list[float] = []
    for _ in range(rounds):
        acknowledged, _ = await asyncio.gather(run_in_worker(use, 4.0), large(ours))
        loud += acknowledged
    filling: list[float] = []
    looked_up = asyncio.create_task(looking_up(ours, lookups))
    while not looked_up.done():
        filling += await run_in_worker(use, 1.0)
    await looked_up
    facts = []
    for what, times in (
        ("by themselves", quiet),
        (f"beside {_MANY:,} items", loud),
        (f"beside {lookups:,} lookups", filling),
    ):
        facts.append(Fact(f"50 a second {what}: acknowledged, p99", "ms", percentile(times, 0.99), _BESIDE_LARGE))
        facts.append(Fact(f"50 a second {what}: acknowledged, last", "ms", max(times), _BESIDE_LARGE))
    return facts


async def click_cost(ours: Side, bare: Side, clicks: int = 100) -> float:
    """Return what a page turn costs against the bare bot's, measured in turns: the machine is not always as fast."""
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
    gc.disable()  # this program's own passes through all it keeps would count as the bot's delays
    world = with_trades(World())
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(SimulatedProviders(world))
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
            for turn in range(rounds + 1):
                (rate, late), (bare_rate, _) = [await burst(side, what, number) for side in (ours, bare)]
                if turn:
                    pairs.append((rate, bare_rate))
                    latest = max(latest, late)
            ratios.append(ratio_of(f"{number} at once, {what}", "1/s", pairs, bound=_RATE, at_least=True))
            facts.append(Fact(f"{number} at once, {what}: latest acknowledgement", "s", latest, _LATEST))
        facts += await beside_others(ours, rounds=rounds, lookups=options.lookups)
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
    figures = asyncio.run(run(options))
    return show(figures, options)


if __name__ == "__main__":
    sys.exit(main())
