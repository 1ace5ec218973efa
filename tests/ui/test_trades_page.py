"""A page of trades says where each stands and what happens next, and fits Discord whatever is in it."""

from dataclasses import replace

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.types import HttpLogEntry

from bot.domain.failures import Dialect, ProviderName
from bot.domain.pages import Audience, TradesAnswer
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope, Trade
from bot.providers.explanations import Catalogue
from bot.ui.trades_page import TRADES_A_PAGE, trades_page, trades_page_count
from tests.domain.builders import NOW, OWNER, PROPERTY, trade
from tests.support.hostile_text import hostile, rendered
from tests.support.payload_audit import audit_requests

EXPLANATIONS = Catalogue.load()
PLAIN = {"paragraph", "inline", "text", "break", "strong_open", "strong_close", "code", "timestamp"}
STATUSES = (0, 3, -1, -11, -12, 1, 2, 4, 5, 6, 7, 8, 9, 10, 99)


def answer(*trades: Trade, of: SteamId | None = OWNER, viewer: SteamId | None = OWNER, **facts: object) -> TradesAnswer:
    told = TradesAnswer(ProviderName.MANNCO, Scope.ALL, of, viewer, trades, NOW)
    return replace(told, **facts)  # type: ignore[arg-type]


def page(shown: TradesAnswer, audience: Audience, index: int = 0) -> str:
    return str(trades_page(shown, index, audience=audience, explanations=EXPLANATIONS).description)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status(status: int):
    """Each status, and one that nobody knows, has a title and a next step for each reader."""
    words = EXPLANATIONS.status(Dialect.MANNCO, str(status))
    for audience, next_step in ((Audience.CUSTOMER, words.customer), (Audience.STAFF, words.agent)):
        text = page(answer(trade(status=status)), audience)

        assert f"**#123456 · {words.title}**" in text
        assert f"Next: {next_step}" in text


def test_what_only_staff_reads():
    """Status number and last error are for staff; a customer reads neither."""
    failed = trade(last_error="offer expired")
    for_staff, for_customer = page(answer(failed), Audience.STAFF), page(answer(failed), Audience.CUSTOMER)

    assert "Status `-1` · last error: offer expired" in for_staff
    assert "offer expired" not in for_customer
    assert "Status" not in for_customer


@pytest.mark.parametrize("status", [0, 1, 2, 8, 9, 99])
def test_what_may_wait(status: int):
    """What is not over shows bot, offer and, to whoever may see it, the code; with the warning to compare them."""
    pending = trade(status=status)
    own = page(answer(pending), Audience.CUSTOMER)
    without = page(answer(replace(pending, code=None, offer_id="")), Audience.CUSTOMER)

    assert f"Bot `{pending.bot}` · offer `5678901234`" in own
    assert "Your code: `ABCDEFGH`" in own
    assert "Accept in Steam only if bot, offer and code are the same there." in own
    assert "Your code" not in without
    assert "offer `none yet`" in without


@pytest.mark.parametrize("status", [3, -1, -11, -12, 4, 5, 6, 7, 10])
def test_what_is_over(status: int):
    """A trade that nobody can accept any more shows no code, and no bot to a customer."""
    text = page(answer(trade(status=status)), Audience.CUSTOMER)

    assert "ABCDEFGH" not in text
    assert "Bot" not in text


def test_whose_trades():
    """The head says whose trades they are, and everybody's are told apart by customer."""
    everybodys = page(answer(trade(), of=None, viewer=None), Audience.STAFF)

    assert "**1 trade** · everybody's" in everybodys
    assert f"Customer `{OWNER}`" in everybodys
    assert "your own" in page(answer(trade()), Audience.CUSTOMER)
    assert f"SteamID `{OWNER}`" in page(answer(trade(), viewer=None), Audience.STAFF)
    assert f"Customer `{OWNER}`" not in page(answer(trade(), viewer=None), Audience.STAFF)
    assert "**2 active trades**" in page(answer(trade(), trade(id=2), scope=Scope.ACTIVE), Audience.CUSTOMER)


def test_facts():
    """Direction, pieces and game are said, as far as they are known."""
    deposit = trade(items_send=(), items_received=("1",), game=Game.RUST)

    assert "deposit · 1 item · Rust · <t:" in page(answer(deposit), Audience.CUSTOMER)
    assert "withdrawal · 2 items · <t:" in page(answer(trade()), Audience.CUSTOMER)
    assert "**\nno items\nNext" in page(answer(trade(items_send=(), created_at=None)), Audience.CUSTOMER)


texts = hostile | st.text(max_size=3000)
trades = st.lists(
    st.builds(
        trade,
        id=st.integers(1, 10**18),
        status=st.sampled_from(STATUSES) | st.integers(-(10**9), 10**9),
        items_send=st.lists(texts, max_size=3).map(tuple),
        bot=st.none() | st.just(OWNER),
        offer_id=texts,
        code=st.none() | texts.filter(bool).map(TradeCode),
        last_error=texts,
        game=st.none() | st.sampled_from(Game),
    ),
    max_size=12,
)


@PROPERTY
@given(shown=trades, audience=st.sampled_from(Audience), everybodys=st.booleans())
def test_any_trades(shown: list[Trade], audience: Audience, everybodys: bool):  # noqa: FBT001 -- drawn
    """Whatever Mannco.store sends, Discord takes every page, each trade is on one, and nothing is more than text."""
    told = answer(*shown, of=None if everybodys else OWNER, window_full=True)
    for index in range(trades_page_count(told)):
        embed = trades_page(told, index, audience=audience, explanations=EXPLANATIONS)

        assert violations(embed) == []
        assert set(rendered(str(embed.description), "embed")[0]) <= PLAIN
        for each in shown[index * TRADES_A_PAGE : (index + 1) * TRADES_A_PAGE]:
            assert f"**#{each.id} · " in str(embed.description)


@pytest.mark.parametrize("status", STATUSES)
def test_nothing_is_cut_off(status: int):
    """The longest of everything on a page for staff still leaves room for every trade's last line."""
    longest = trade(
        status=status,
        items_send=("1",) * 999,
        offer_id="9" * 40,
        code=TradeCode("A" * 40),
        last_error="*" * 3000,
        game=Game.TF2,
    )
    shown = answer(*(replace(longest, id=10**17 + number) for number in range(5)), of=None, window_full=True)

    assert page(shown, Audience.STAFF).count(f"Status `{status}` · last error: ") == 5


def violations(embed: discord.Embed) -> list[str]:
    body = {"embeds": [embed.to_dict()], "allowed_mentions": {"parse": []}}
    return audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)])
