"""Changes, crashes and outages in any order: each change is shown once, and the last one is never lost."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.trades import TradeState
from bot.domain.watches import Delivery
from tests.contracts.engines import ENGINES
from tests.services.watching import Watching

WAY = (TradeState.PREPARED, TradeState.OFFERED, TradeState.HELD, TradeState.COMPLETED)
OUTAGE = ProviderError(Failure(ProviderName.SKINSBACK, FailureKind.TIMED_OUT))
STEPS = st.lists(
    st.sampled_from(["goes on", "minute", "minute", "crash", "Discord fails", "answers are lost", "Discord works"])
    | st.sampled_from(["provider fails", "provider works"]),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=25)
def test_any_order(steps: list[str]) -> None:
    """Of all changes that a reading finds each is shown once, in their order, and the newest one at the end."""
    asyncio.run(_played(steps))


async def _played(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stack = AsyncExitStack()
        desk = Watching(await stack.enter_async_context(ENGINES["sqlite"](Path(folder))))
        desk.service = desk.started(each_within=0.002)
        await desk.set_up()
        desk.provider.put("1", WAY[0])
        await desk.begin()
        at = 0
        for step in [*steps, "Discord works", "provider works", "all is well", "minute", "minute"]:
            match step:
                case "all is well":
                    await desk.service.close(within=0.0)
                    desk.service = desk.started()
                case "goes on":
                    at = min(at + 1, len(WAY) - 1)
                    desk.provider.put("1", WAY[at])
                case "minute":
                    await desk.minute()
                case "crash":
                    await desk.service.close(within=0.0)
                    await stack.aclose()
                    desk = desk.restarted(await stack.enter_async_context(ENGINES["sqlite"](Path(folder))))
                case "Discord fails" | "Discord works" | "answers are lost":
                    desk.messages.answer = Delivery.FAILED if step == "Discord fails" else Delivery.SENT
                    desk.messages.loses_answers = step == "answers are lost"
                case _:
                    desk.provider.failure = OUTAGE if step == "provider fails" else None
        shown = [WAY[0], *(state for _, state in desk.messages.changes)]
        watched = await desk.watches()
        await desk.service.close(within=0.0)
        await stack.aclose()

    assert shown[-1] is WAY[at]
    assert all(WAY.index(before) < WAY.index(after) for before, after in pairwise(shown))
    assert watched == ([] if WAY[at] is TradeState.COMPLETED else ["1"])
