"""No customer ever sees another's trade, whatever providers list and whatever is asked."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as altered

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.snapshots import TradesAnswer
from bot.domain.trades import KeyLimit, Scope, Trade, TradeItem, TradeReading, TradeState, UnreadRow
from bot.providers.explanations import Catalogue
from bot.services.trade_context import TradeContext
from bot.ui.kit.layout import page_at
from bot.ui.trades.page import TRADES_A_PAGE, trade_details, trades_page
from tests.contracts.engines import ENGINES
from tests.domain.builders import NOW, OWNER, PROPERTY, usd
from tests.services.members import CUSTOMER
from tests.services.test_trades_everywhere import STRANGER, deposit, prepared, url
from tests.support.seen import embed_text

MARK = "Neptune"
"""A word in each trade and row that is not the customer's."""
EXPLANATIONS = Catalogue.load()


def marked(found: Trade) -> Trade:
    """Return a trade whose facts give it away if it is not the customer's."""
    mark = "" if found.owner == OWNER else MARK
    return altered(found, bot_name=mark, last_error=mark, reverted_by=mark, from_customer=(TradeItem(mark),))


OWNERS = st.sampled_from([OWNER, STRANGER, None])
TRADES = st.builds(
    deposit,
    st.sampled_from(ProviderName),
    st.sampled_from(["1", "2", "a", "A"]),
    state=st.sampled_from(TradeState),
    hours=st.none() | st.integers(0, 900),
    owner=OWNERS,
    offer_id=st.sampled_from(["", "1", "77"]),
    shop_reference=st.sampled_from(["", "a", "dep"]),
    merchant_amount=st.none() | st.just(usd("3")),
    updated_at=st.none() | st.just(NOW),
).map(marked)
READINGS = st.builds(
    TradeReading,
    st.lists(TRADES, max_size=6).map(tuple),
    st.lists(OWNERS.map(lambda owner: UnreadRow("items[0]" if owner == OWNER else MARK, owner)), max_size=2).map(tuple),
    limit=st.none() | st.builds(KeyLimit, st.none() | st.just(STRANGER)),
    failure=st.none() | st.just(Failure(ProviderName.SKINSBACK, FailureKind.BROKEN)),
)


def test_no_trade_of_another_owner(tmp_path: Path) -> None:
    """A customer's answer and pages hold their own trades only, whatever providers list and whatever is asked."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        desk = runner.run(prepared(runner.run(stack.enter_async_context(ENGINES["sqlite"](tmp_path)))))

        async def check(readings: list[TradeReading], options: dict[str, Any]) -> None:
            for source, reading in zip(desk.sources.values(), readings, strict=True):
                source.reading = reading
            answer = await desk.list_for(by=CUSTOMER, **options)
            snapshot = await desk.snapshots.open(answer, by=await desk.access.viewer(CUSTOMER))
            for shown in (answer, snapshot.answer):
                assert isinstance(shown, TradesAnswer)
                assert {each.owner for each in shown.trades} <= {OWNER}
                assert {row.owner for part in shown.parts for row in part.unread} <= {OWNER}
                assert {each.merchant_amount for each in shown.trades} <= {None}
                assert str(STRANGER.value) not in str(shown)
            words: dict[str, Any] = {"audience": snapshot.audience, "explanations": EXPLANATIONS}
            embeds = [trade_details(each, answer, TradeContext(), **words) for each in answer.trades]
            for index in range(1 + len(answer.trades) // TRADES_A_PAGE):
                page = page_at(range(len(answer.trades)), index, TRADES_A_PAGE)
                embeds.append(trades_page(answer, page, **words))
            for embed in embeds:
                assert MARK not in embed_text(embed)
                assert str(STRANGER) not in embed_text(embed)

        @PROPERTY
        @given(
            st.lists(READINGS, min_size=5, max_size=5),
            st.fixed_dictionaries(
                {"scope": st.sampled_from(Scope), "reference": st.sampled_from([None, "1", "77", "dep", "A"])},
                optional={"own": st.booleans(), "trade_url": st.just(url(OWNER))},
            ),
        )
        def every_case(readings: list[TradeReading], options: dict[str, Any]) -> None:
            runner.run(check(readings, options))

        every_case()
        runner.run(stack.aclose())
