"""A page of trades shows each status and the next step, and fits Discord with any content."""

import re
from dataclasses import replace

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.types import HttpLogEntry

from bot.domain.failures import Dialect
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import Audience, TradesAnswer
from bot.domain.steam import Game
from bot.domain.trades import Scope, Trade
from bot.providers.explanations import Catalogue
from bot.ui.kit.layout import page_at
from bot.ui.trades import TRADES_A_PAGE, trades_page
from tests.domain.builders import BOT, NOW, OWNER, PROPERTY, trade
from tests.domain.builders import trades_answer as answer
from tests.support.hostile_text import hostile, rendered
from tests.support.payload_audit import audit_requests

EXPLANATIONS = Catalogue.load()
PLAIN = {"paragraph", "inline", "text", "break", "strong_open", "strong_close", "code", "timestamp"} | {
    "link_open",
    "link_close",
}
SENDING = "There was an error sending your trade offer. Please try again later."
STATUSES = (0, 3, -1, -11, -12, 1, 2, 4, 5, 6, 7, 8, 9, 10, 99)


def embed_of(shown: TradesAnswer, audience: Audience, index: int = 0) -> discord.Embed:
    trades_shown = page_at(shown.trades, index, TRADES_A_PAGE)
    return trades_page(shown, trades_shown, audience=audience, explanations=EXPLANATIONS)


def page(shown: TradesAnswer, audience: Audience) -> str:
    return str(embed_of(shown, audience).description)


def warning(shown: TradesAnswer, audience: Audience) -> str:
    return "\n".join(str(field.value) for field in embed_of(shown, audience).fields)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status(status: int):
    """Each status, an unknown one too, has a title and a next step for each reader."""
    explained = EXPLANATIONS.status(Dialect.MANNCO, str(status))
    for audience, title, next_step in (
        (Audience.CUSTOMER, explained.customer_title or explained.title, explained.customer),
        (Audience.STAFF, explained.title, explained.agent),
    ):
        text = page(answer(trade(status=status)), audience)

        assert f" **#123456 · {title}**" in text
        assert re.search(rf"\*\*[A-Z][a-z ]+\.\*\* (?:The last error says why\. )?{re.escape(next_step)}", text)


@pytest.mark.parametrize(
    ("status", "deposit", "to_customer", "to_staff"),
    [
        (0, False, "You act next", "The customer acts next"),
        (0, True, "You act next", "The customer acts next"),
        (3, False, "No one has to act", "No one has to act"),
        (-1, False, "You or the staff act next", "You or the customer act next"),
        (7, False, "You or the staff act next", "You or the customer act next"),
        (-1, True, "You act next", "The customer acts next"),
        (-12, False, "You act next", "The customer acts next"),
        (1, False, "The staff acts next", "You act next"),
        (99, True, "The staff acts next", "You act next"),
    ],
)
def test_who_acts(status: int, deposit: bool, to_customer: str, to_staff: str):  # noqa: FBT001 -- a column
    """Each reader sees who acts next."""
    listed = answer(trade(status=status, **({"items_send": (), "items_received": ("1",)} if deposit else {})))

    assert f"**{to_customer}.**" in page(listed, Audience.CUSTOMER)
    assert f"**{to_staff}.**" in page(listed, Audience.STAFF)


def test_after_a_failure():
    """A failed withdrawal names the command that has it sent again; a failed deposit says that it cannot be."""
    withdrawal, deposit = trade(), trade(items_send=(), items_received=("1",))

    assert "`/resend id:123456` asks a moderator" in page(answer(withdrawal), Audience.CUSTOMER)
    assert "`/resend id:123456` asks a moderator" in page(answer(withdrawal), Audience.STAFF)
    assert "cannot be resent: start it again on the site" in page(answer(deposit), Audience.CUSTOMER)
    assert "cannot be resent: have the customer start it again" in page(answer(deposit), Audience.STAFF)
    assert "/resend" not in page(answer(deposit, trade(status=0), trade(status=3)), Audience.CUSTOMER)


@pytest.mark.parametrize(
    ("last_error", "to_customer", "to_staff"),
    [
        (f"{SENDING} (26)", "would most likely fail again. `/resend", "no longer there · code `26` · `Revoked`\n"),
        (f"{SENDING} (15)", "\nAfter that, `/resend", "Have the customer save a freshly copied trade URL."),
        (
            f"{SENDING}<br>You cannot trade with <b>Al</b> because they have a trade ban.",
            "a trade ban\n",
            "`TradeBan`\n",
        ),
        ("mystery", "Mannco.store gave the staff a reason. Ask them", "The last error says why. Find out"),
    ],
)
def test_why_it_failed(last_error: str, to_customer: str, to_staff: str):
    """The owner reads why a trade failed and what to do; staff read the last error without markup too."""
    failed = answer(trade(last_error=last_error))
    for_customer, for_staff = page(failed, Audience.CUSTOMER), page(failed, Audience.STAFF)

    assert to_customer in for_customer
    assert to_staff in for_staff
    assert "Last error: " in for_staff
    for hidden in ("<", "br>", "mystery", "Last error", "Revoked", SENDING):
        assert hidden not in for_customer.replace("<t:", "")
    assert "br>" not in for_staff
    for other in (trade(last_error=""), trade(status=0, last_error=last_error)):
        assert "Why it failed" not in page(answer(other), Audience.STAFF)
        assert "last error says" not in page(answer(other), Audience.STAFF)


def test_what_only_staff_reads():
    """Status number, last error and asset ids are for staff; a customer reads none of them."""
    failed = trade(last_error="offer expired", items_send=("11", "22", "33", "44"))
    for_staff, for_customer = page(answer(failed), Audience.STAFF), page(answer(failed), Audience.CUSTOMER)

    assert "\nStatus `-1`\n" in for_staff
    assert "\nLast error: offer expired" in for_staff
    assert "\nAssets `11` `22` and 2 more\n" in for_staff
    assert "error" not in page(answer(trade(status=0, last_error="")), Audience.STAFF)
    for hidden in ("offer expired", "Status", "`11`"):
        assert hidden not in for_customer


@pytest.mark.parametrize("status", [0, 1, 2, 8, 9, 99])
def test_what_may_wait(status: int):
    """An open trade shows bot, offer and, to its owner, the code, with the warning to compare them."""
    pending = trade(status=status)
    own = page(answer(pending), Audience.CUSTOMER)
    without = page(answer(replace(pending, code=None, offer_id="", bot=None)), Audience.CUSTOMER)

    assert f"\nBot `{pending.bot}`\nOffer `5678901234` · [open it in Steam](" in own
    assert "(https://steamcommunity.com/tradeoffer/5678901234/)\n" in own
    assert "**Your code: `ABCDEFGH`**" in own
    assert "the bot, the items and the code there have to be the same" in warning(answer(pending), Audience.CUSTOMER)
    assert "The staff never asks for your code" in warning(answer(pending), Audience.CUSTOMER)
    assert "Never ask for the code" in warning(answer(pending), Audience.STAFF)
    assert "Your code" not in without
    assert "\nBot not named\nOffer none yet" in without
    erased = answer(pending).without_codes()
    assert "**Your code is no longer here:** `/trades`, used again," in page(erased, Audience.CUSTOMER)
    assert "Your code" not in page(replace(erased, viewer=BOT), Audience.STAFF)
    soon = replace(erased, codes_from=NOW)
    assert f"**Your code is shown <t:{int(NOW.timestamp())}:R>:**" in page(soon, Audience.CUSTOMER)
    assert "`/link start` shows it at once" in page(soon, Audience.CUSTOMER)


def test_offer_that_is_not_there_yet():
    """Who waits for an offer that is not made yet is not sent to Steam to accept it."""
    listed = answer(trade(status=0, offer_id=""))

    for audience in Audience:
        assert "The offer is being made" in page(listed, audience)
        assert "**Mannco.store acts next.** Mannco.store names no offer yet" in page(listed, audience)
        assert "Your code is" not in page(listed, audience)


@pytest.mark.parametrize("offer_id", ["12/../../id/evil", "1" * 21, "٣", "12\n"])
def test_offer_that_is_no_number(offer_id: str):
    """Only a number becomes a part of an address."""
    assert "http" not in page(answer(trade(status=0, offer_id=offer_id)), Audience.CUSTOMER)


@pytest.mark.parametrize("status", [3, -1, -11, -12, 4, 5, 6, 7, 10])
def test_what_is_over(status: int):
    """A final trade shows no code, no bot to a customer, and no warning."""
    over = answer(trade(status=status))

    assert "ABCDEFGH" not in page(over, Audience.CUSTOMER) + page(over, Audience.STAFF)
    assert "Bot" not in page(over, Audience.CUSTOMER)
    assert warning(over, Audience.CUSTOMER) == warning(over, Audience.STAFF) == ""


def test_nothing_there():
    """An empty list has its own text for each owner and scope."""
    listed = [
        page(answer(of=of, viewer=OWNER, scope=scope, is_full=full), audience).split("\n")[-1]
        for of, audience in ((OWNER, Audience.CUSTOMER), (BOT, Audience.STAFF), (None, Audience.STAFF))
        for scope, full in ((Scope.ACTIVE, False), (Scope.ALL, False), (Scope.ALL, True))
        if of is not None or not full  # of everybody's trades, 500 are never none
    ]

    assert len(set(listed)) == len(listed)
    assert "`scope:all`" in listed[0]
    assert "You have no trade yet" in listed[1]
    assert "None of the newest 500 trades is yours" in listed[2]
    assert "compare the SteamID" in listed[4]


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
    """With any trades, Discord takes every page, each trade is on one, and the pages are only text."""
    listed = answer(*shown, of=None if everybodys else OWNER, is_full=True)
    for index in range(page_at(shown, 0, TRADES_A_PAGE).count):
        embed = embed_of(listed, audience, index)

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
    shown = answer(*(replace(longest, id=str(10**17 + number)) for number in range(5)), of=None, is_full=True)

    assert page(shown, Audience.STAFF).count("\nLast error: ") == 5


def violations(embed: discord.Embed) -> list[str]:
    body = {"embeds": [embed.to_dict()], "allowed_mentions": {"parse": []}}
    return audit_requests([HttpLogEntry("POST", "/channels/1/messages", {}, body, None)])
