"""Many interactions at once, and some beside a very large one: who is acknowledged and finished when.

``uv run python -m benchmarks.bursts`` prints tables; ``--json FILE`` keeps them. Exit code 1 where a bound is missed.
The reference is the bare bot of ``benchmarks/interactions.py``, in the same run and in turns with SkinDesk.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
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
from benchmarks.measuring import Ratio, as_json, cpu_seconds, percentile, ratio_of, table
from bot.demo.providers import SimulatedProviders
from bot.demo.world import World
from tests.e2e.desk import answer_of

_LATEST = 3.0
_RATE = 0.6
_BESIDE_LARGE = 50.0
_EACH = 1 / 50
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with a bound of its own, whatever the reference does."""

    what: str
    unit: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it keeps its bound."""
        return self.value <= self.bound


async def burst(side: Side, what: str, number: int) -> tuple[float, float]:
    """Use one thing so often at once; return interactions finished in a second, and the latest acknowledgement."""
    began = time.monotonic()
    records = await asyncio.gather(*(side.uses[what]() for _ in range(number)))
    await asyncio.gather(*(record.finished(60.0) for record in records))
    seconds = max(record.finished_at or 0.0 for record in records) - began
    return number / seconds, max(record.acknowledged_after for record in records)


async def beside(use: Use, large: Use | None, seconds: float) -> list[float]:
    """Let somebody do something every 20 ms, and ask for a large inventory meanwhile; return the acknowledgements."""
    waiting = [asyncio.create_task(use())]
    big = None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(_EACH)
        waiting.append(asyncio.create_task(use()))
        if large is not None and big is None and len(waiting) > 1 / _EACH / 4:
            big = asyncio.create_task(large())
    records = await asyncio.gather(*waiting)
    await asyncio.gather(*(record.finished(30.0) for record in records))
    if big is not None:
        assert f"{_MANY:,} items" in answer_of(await (await big).finished(30.0)).text
    return [record.acknowledged_after * 1000 for record in records]


async def click_cost(side: Side, clicks: int) -> float:
    """Return the processor milliseconds of a page turn."""
    before = cpu_seconds(side.process.pid)
    for _ in range(clicks):
        await (await side.uses["page turn"]()).finished()
    return (cpu_seconds(side.process.pid) - before) * 1000 / clicks


async def run(*, rounds: int, number: int, pagers: int) -> tuple[list[Ratio], list[Fact]]:
    """Measure everything."""
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
        ratios, facts = [], []
        for what in ("cached /inventory", "page turn", "refused command"):
            pairs = []
            latest = 0.0
            for turn in range(rounds + 1):
                (rate, late), (bare_rate, _) = [await burst(side, what, number) for side in (ours, bare)]
                if turn:
                    pairs.append((rate, bare_rate))
                    latest = max(latest, late)
            ratios.append(
                ratio_of(f"{number} at once, {what}", "1/s", pairs, bound=_RATE, at_least=True),
            )
            facts.append(Fact(f"{number} at once, {what}: latest acknowledgement", "s", latest, _LATEST))
        quiet = [each for _ in range(rounds) for each in await beside(ours.uses["refused command"], None, 2.0)]
        loud = [
            each for _ in range(rounds) for each in await beside(ours.uses["refused command"], ours.uses[LARGE], 4.0)
        ]
        facts += [
            Fact("50 a second by themselves: acknowledged, p99", "ms", percentile(quiet, 0.99), _BESIDE_LARGE),
            Fact("50 a second beside 10,000 items: acknowledged, p99", "ms", percentile(loud, 0.99), _BESIDE_LARGE),
            Fact("50 a second beside 10,000 items: acknowledged, last", "ms", max(loud), 2 * _BESIDE_LARGE),
        ]
        few = [await click_cost(ours, 200) for _ in range(rounds)]
        await asyncio.gather(*(ours.uses["cached /inventory"]() for _ in range(pagers)))
        await burst(ours, "cached /inventory", 1)
        many = [await click_cost(ours, 200) for _ in range(rounds)]
        ratios.append(
            ratio_of(f"a click with {pagers} pagers more", "ms", list(zip(many, few, strict=True)), bound=1.3)
        )
    return ratios, facts


def facts_table(facts: list[Fact]) -> str:
    """Return the facts as lines of a table."""
    form = "{:<60}{:>5}{:>12}  {}"
    return "\n".join(
        form.format(
            each.what, each.unit, f"{each.value:.3f}", f"≤ {each.bound:g} {'holds' if each.holds else 'MISSED'}"
        )
        for each in facts
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--pagers", type=int, default=1_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ratios, facts = asyncio.run(run(rounds=options.rounds, number=options.number, pagers=options.pagers))
    print(table(ratios))
    print(facts_table(facts))
    if options.json is not None:
        kept = {
            "ratios": json.loads(as_json(ratios)),
            "facts": [asdict(each) | {"holds": each.holds} for each in facts],
        }
        options.json.write_text(json.dumps(kept, indent=2), encoding="utf-8")
    holds = [*(each.holds for each in ratios), *(each.holds for each in facts)]
    return 0 if False not in holds else 1


if __name__ == "__main__":
    sys.exit(main())
