"""A trade on a page shows its status, who acts next, its money, and what to compare."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import discord
import pytest
from msgspec.structs import replace as altered

from bot.domain.failures import ProviderName
from bot.domain.snapshots import Audience, TradesAnswer
from bot.domain.trades import Direction, Trade, TradeItem, TradeState
from bot.providers.explanations import Catalogue
from bot.providers.mannco_answers import state_of
from bot.services.trade_context import TradeContext
from bot.ui.kit.layout import page_at
from bot.ui.trades.page import TRADES_A_PAGE, trades_page
from tests.domain.builders import BOT, NOW, OWNER, trade, usd, without_codes
from tests.domain.builders import trades_answer as answer

EXPLANATIONS = Catalogue.load()
NO_CONTEXT = TradeContext()
SENDING = "There was an error sending your trade offer. Please try again later."
MANNCO = (0, 3, -1, -11, -12, 1, 2, 4, 5, 6, 7, 8, 9, 10, 99)
PAY, CO, BACK = ProviderName.ASSETPAY, ProviderName.ASSETPAY_LEGACY, ProviderName.SKINSBACK
ITEMS = (TradeItem("AK-47 | Redline", "11"), TradeItem("M4A4 | Howl", "22"), TradeItem("AWP | Asiimov", "33"))

YOU, CUSTOMER, STAFF = "You act next", "The customer acts next", "The staff acts next"
PROVIDER, SHOP, ITSELF, NO_ONE = "AssetPay acts next", "The shop acts next", "It goes on by itself", "No one has to act"
CREDITS = "The shop credits it"
D, W = Direction.DEPOSIT, Direction.WITHDRAWAL
S = TradeState
WORDS = [  # trades.md, 1.6, 2 and 3.5: provider, word, direction, state, and who acts, for customer and staff
    (PAY, "initiated", D, S.PREPARED, PROVIDER, PROVIDER),
    (PAY, "initiated", W, S.PREPARED, SHOP, SHOP),
    (PAY, "pending", W, S.PREPARED, PROVIDER, PROVIDER),
    (PAY, "active", D, S.OFFERED, YOU, CUSTOMER),
    (PAY, "hold", D, S.HELD, ITSELF, ITSELF),
    (PAY, "completed", D, S.COMPLETED, NO_ONE, NO_ONE),
    (PAY, "failed", D, S.FAILED, YOU, CUSTOMER),
    (PAY, "canceled", D, S.CANCELLED, YOU, CUSTOMER),
    (PAY, "cancelled", D, S.CANCELLED, YOU, CUSTOMER),
    (PAY, "declined", W, S.CANCELLED, YOU, CUSTOMER),
    (PAY, "reverted", W, S.REVERTED, STAFF, YOU),
    (PAY, "sleeping", W, S.UNKNOWN, STAFF, YOU),
    (CO, "INITIATED", D, S.PREPARED, PROVIDER, PROVIDER),
    (CO, "PENDING", D, S.OFFERED, YOU, CUSTOMER),
    (CO, "ACTIVE", D, S.HELD, ITSELF, ITSELF),
    (CO, "ESCROW", D, S.HELD, ITSELF, ITSELF),
    (CO, "HOLD", D, S.HELD, ITSELF, ITSELF),
    (CO, "COMPLETED", W, S.COMPLETED, NO_ONE, NO_ONE),
    (CO, "PARTIAL", W, S.COMPLETED, YOU, YOU),
    (CO, "FAILED", D, S.FAILED, YOU, CUSTOMER),
    (CO, "REVERTED", D, S.REVERTED, STAFF, YOU),
    (BACK, "pending", D, S.OFFERED, YOU, CUSTOMER),
    (BACK, "in_hold", D, S.HELD, ITSELF, ITSELF),
    (BACK, "hold_approved", D, S.HELD, ITSELF, ITSELF),
    (BACK, "success", D, S.COMPLETED, CREDITS, CREDITS),
    (BACK, "fail", D, S.FAILED, YOU, CUSTOMER),
    (BACK, "hold_returned", D, S.REVERTED, STAFF, YOU),
]


def at(provider: ProviderName, status: str, state: TradeState, direction: Direction = D, **facts: Any) -> Trade:
    """Return a trade of AssetPay or SkinsBack."""
    facts = {"last_error": "", "code": None, "to_customer": ITEMS, "from_customer": ITEMS} | facts
    return altered(trade(), provider=provider, status=status, state=state, direction=direction, **facts)


def embed_of(
    shown: TradesAnswer, audience: Audience, index: int = 0, context: TradeContext = NO_CONTEXT
) -> discord.Embed:
    places = page_at(shown.positions(None), index, TRADES_A_PAGE)
    return trades_page(shown, places, audience=audience, explanations=EXPLANATIONS, context=context)


def page(shown: TradesAnswer, audience: Audience = Audience.CUSTOMER) -> str:
    return str(embed_of(shown, audience).description)


def warning(shown: TradesAnswer, audience: Audience = Audience.CUSTOMER) -> str:
    return "\n".join(str(field.value) for field in embed_of(shown, audience).fields)


@pytest.mark.parametrize(
    ("provider", "word", "direction", "state", "to_customer", "to_staff"),
    WORDS,
    ids=[f"{row[0].value} {row[1]} {row[2].value}" for row in WORDS],
)
def test_every_word(
    provider: ProviderName, word: str, direction: Direction, state: TradeState, to_customer: str, to_staff: str
):
    """Each status word has a title, who acts next and a next step for each reader; an unknown one is shown raw."""
    one = at(provider, word, state, direction)
    status = EXPLANATIONS.status(provider.dialect, word, kind=one.status_kind)
    for_customer, for_staff = page(answer(one)), page(answer(one), Audience.STAFF)

    assert f" **{status.customer_title or status.title}" in for_customer
    assert f" **{status.title}" in for_staff
    assert re.search(rf"\n\*\*{to_customer}\*\*\n[A-Z]", for_customer)
    assert re.search(rf"\n\*\*{to_staff}\*\*\n[A-Z]", for_staff)
    assert f"\nStatus: `{word}`" in for_staff
    assert (f"`{word}`" in for_customer) is not status.known
    assert ("cannot be resent." in for_customer) is (state in (S.FAILED, S.CANCELLED))
    for key in ("holdEndDate", "revertedBy", "purchaseStatus", "externalId", "/resend", "_"):
        assert key not in for_customer


@pytest.mark.parametrize("status", MANNCO)
def test_every_number(status: int):
    """Each status of Mannco.store, an unknown one too, has a title and a next step for each reader."""
    explained = EXPLANATIONS.status(ProviderName.MANNCO.dialect, str(status))

    assert explained.is_final is not state_of(str(status)).is_open
    for audience, title, next_step in (
        (Audience.CUSTOMER, explained.customer_title or explained.title, explained.customer),
        (Audience.STAFF, explained.title, explained.agent),
    ):
        text = page(answer(trade(status=status)), audience)

        assert f" **{title}" in text
        assert "\nMannco.store withdrawal `123456` · Made: " in text
        assert re.search(rf"\*\*[A-Z][a-z ]+\*\*\n(?:The last error says why\. )?{re.escape(next_step)}", text)


@pytest.mark.parametrize(
    ("status", "deposit", "to_customer", "to_staff"),
    [
        (0, False, YOU, CUSTOMER),
        (3, False, NO_ONE, NO_ONE),
        (-1, False, "You or the staff act next", "You or the customer act next"),
        (7, False, "You or the staff act next", "You or the customer act next"),
        (-1, True, YOU, CUSTOMER),
        (-12, False, YOU, CUSTOMER),
        (1, False, STAFF, YOU),
        (99, True, STAFF, YOU),
    ],
)
def test_who_acts_at_mannco(status: int, deposit: bool, to_customer: str, to_staff: str):  # noqa: FBT001 -- a column
    """A failed withdrawal can be resent, so that owner and staff can act."""
    listed = answer(trade(status=status, **({"items_send": (), "items_received": ("1",)} if deposit else {})))

    assert f"**{to_customer}**\n" in page(listed)
    assert f"**{to_staff}**\n" in page(listed, Audience.STAFF)


def test_after_a_failure():
    """A failed withdrawal names the command that has it sent again; a failed deposit says that it cannot be."""
    withdrawal, deposit = trade(), trade(items_send=(), items_received=("1",))

    for audience in Audience:
        assert "`/resend id:123456` asks a moderator" in page(answer(withdrawal), audience)
        assert "cannot be resent. A new one has to be started in the shop." in page(answer(deposit), audience)
    assert "/resend" not in page(answer(deposit, trade(status=0), trade(status=3)))


@pytest.mark.parametrize(
    ("failed", "to_customer", "to_staff"),
    [
        (
            trade(last_error=f"{SENDING} (26)"),
            "would most likely fail again. `/resend",
            "there · code `26` · `Revoked`\n",
        ),
        (
            trade(last_error=f"{SENDING} (15)"),
            "\nAfter that, `/resend",
            "Ask the customer to save their current trade URL in the shop.",
        ),
        (
            trade(last_error=f"{SENDING}<br>You cannot trade with <b>Al</b> because they have a trade ban."),
            "a trade ban\n",
            "`TradeBan`\n",
        ),
        (
            trade(last_error="mystery"),
            "Mannco.store gave a reason that only the staff can see. Send them the number",
            "last error says why. Find and fix",
        ),
        (at(PAY, "failed", S.FAILED, last_error="mystery"), "AssetPay gave a reason", "Last error: mystery"),
        (
            at(PAY, "failed", S.FAILED, W, last_error="MERCHANT_REJECTED"),
            "**The staff acts next**\nCheck your balance in the shop.",
            "**You act next**\nFind the reason",
        ),
        (
            at(PAY, "failed", S.FAILED, last_error="SERVICE_UNAVAILABLE"),
            f"**{YOU}**\nWait",
            "· `SERVICE_UNAVAILABLE`\n",
        ),
    ],
)
def test_why_it_failed(failed: Trade, to_customer: str, to_staff: str):
    """The owner reads why a trade failed and what to do; staff read the error's word, or the unknown text, too."""
    for_customer, for_staff = page(answer(failed)), page(answer(failed), Audience.STAFF)

    assert to_customer in for_customer
    assert to_staff in for_staff
    for hidden in ("<", "br>", "mystery", "Last error", "Revoked", "_REJECTED", "_UNAVAILABLE", SENDING):
        assert hidden not in for_customer.replace("<t:", "")
    assert "br>" not in for_staff
    open_trade = altered(failed, state=S.OFFERED, status="0")
    for other in (altered(failed, last_error=""), open_trade):
        assert "Why it failed" not in page(answer(other), Audience.STAFF)
        assert "last error says" not in page(answer(other), Audience.STAFF)


def test_failed_items():
    """Items that failed are counted with the reason, a partly completed trade is no completed one."""
    failed = (
        TradeItem("AK-47 | Redline", error="PRICE_CHANGED"),
        TradeItem("M4A4 | Howl", status="failed", error="NEW_WORD"),
        ITEMS[2],
    )
    one = answer(at(PAY, "completed", S.COMPLETED, W, to_customer=failed))

    assert "\nTo you: ❌ AK-47 | Redline, ❌ M4A4 | Howl, and AWP | Asiimov\n" in page(one)
    assert "\n**Failed items: 2 of 3** · The price rose above the limit\n" in page(one)
    assert "The price rose above the limit · `NEW_WORD`\n" in page(one, Audience.STAFF)
    assert f"**{YOU}**\nSome of the items did not go through." in page(one)
    assert "⚠️ **Completed**" in page(one)
    alike = tuple(TradeItem(item.name, error="PRICE_CHANGED") for item in ITEMS)
    whole = answer(at(PAY, "failed", S.FAILED, W, to_customer=alike, last_error="PRICE_CHANGED"))
    assert "Failed items" not in page(whole)


@pytest.mark.parametrize(
    ("by", "to_customer", "to_staff"),
    [
        ("user", f"you, from your Steam account\n**{YOU}**\n", f"the customer, from their Steam account\n**{YOU}**\n"),
        (
            "SUPPLIER",
            "the supplier of AssetPay. You did not cause it.\n**The staff",
            "the supplier of AssetPay\n**You act next",
        ),
        ("moon", "\n**The staff acts next**\n", "**Who reversed it:** `moon`\n"),
    ],
)
def test_who_undid_it(by: str, to_customer: str, to_staff: str):
    """Who undid a trade is said in words; a word that is not documented is for staff."""
    undone = answer(at(PAY, "reverted", S.REVERTED, W, reverted_by=by))

    assert to_customer in page(undone)
    assert to_staff in page(undone, Audience.STAFF)
    assert by not in page(undone)


@pytest.mark.parametrize(
    ("state", "amounts", "text"),
    [
        (S.OFFERED, ("10.75", "8.60", "2.15"), "accepted: **$8.60** · Credit when the deposit is completed: **$2.15**"),
        (S.OFFERED, ("10.75", "10.75", "0"), "Credit when the offer is accepted: **$10.75**\n"),
        (S.OFFERED, ("10.75", None, None), "\nCredit when the deposit is completed: **$10.75**"),
        (
            S.HELD,
            ("10.75", "8.60", "2.15"),
            "\nCredited already: **$8.60** · Credit when the deposit is completed: **$2.15**",
        ),
        (S.HELD, ("10.75", "0", "10.75"), "\nCredit when the deposit is completed: **$10.75**"),
        (S.COMPLETED, ("10.75", "8.60", "2.15"), "Credited: **$10.75**"),
        (S.FAILED, ("10.75", "8.60", "2.15"), "Not credited: **$10.75**"),
        (S.REVERTED, ("10.75", "8.60", "2.15"), "Reversed: **$10.75** · Credited before that: **$8.60**"),
    ],
)
def test_credit(state: TradeState, amounts: tuple[str | None, ...], text: str):
    """What a customer is credited now and later is said in words that fit the state."""
    total, now, later = (amount and usd(amount) for amount in amounts)
    listed = answer(at(PAY, "x", state, total=total, credited_now=now, credited_later=later, merchant_amount=usd("99")))

    assert text in page(listed) + "\n"
    assert "The shop's amount: $99.00" in page(listed, Audience.STAFF)
    assert "99.00" not in page(listed)
    assert "\nPrice: **$10.75**" in page(answer(at(PAY, "x", state, W, total=total)))


@pytest.mark.parametrize(
    ("days", "is_estimate", "text"),
    [
        (3, False, "**It completes by itself (<t:{}:R>)**"),
        (-1, False, "**It completes by itself soon (end of the protection: <t:{}:R>)**"),
        (3, True, "**It completes by itself (estimate: <t:{}:D>)**"),
        (-2, False, "**It should be completed by now (end of the protection: <t:{}:R>)**"),
        (-2, True, "**It should be completed by now (estimated end of the protection: <t:{}:D>)**"),
        (-1, True, "**It should complete any day now (estimated end of the protection: <t:{}:D>)**"),
    ],
)
def test_end_of_a_hold(days: int, is_estimate: bool, text: str):  # noqa: FBT001 -- a column
    """A hold says when it ends, and whom to ask long after that; an estimate is named one and is good to the day."""
    ends = NOW + timedelta(days=days)
    held = answer(at(BACK, "in_hold", S.HELD, hold_ends=ends, hold_end_is_estimate=is_estimate))

    for audience in Audience:
        assert text.format(int(ends.timestamp())) in page(held, audience)
    assert ("Send the staff the number" in page(held)) is (days == -2)
    assert ("Ask SkinsBack about it." in page(held, Audience.STAFF)) is (days == -2)


def test_what_only_staff_reads():
    """Status number, last error, asset ids and the account are for staff; a customer reads none of them."""
    failed = trade(last_error="offer expired", items_send=("11", "22", "33", "44"))
    for_staff, for_customer = page(answer(failed, of=None), Audience.STAFF), page(answer(failed))

    assert f"\nStatus: `-1` · Customer: `{OWNER}`\n" in for_staff
    assert "\nLast error: offer expired" in for_staff
    assert "\nAssets: `11` `22` and 2 more\n" in for_staff
    for hidden in ("offer expired", "Status", "`11`", str(OWNER)):
        assert hidden not in for_customer
    nobodys = answer(at(BACK, "pending", S.OFFERED, owner=None), of=None)
    assert "SkinsBack named no account" in page(nobodys, Audience.STAFF)


def test_which_trade():
    """A trade shows provider, number, the shop's order, and its first items by name; a customer knows one AssetPay."""
    number, named = "0b5c1111-2222-3333-4444-555566667777", (*ITEMS, TradeItem("Glock"), TradeItem())
    one = at(ProviderName.ASSETPAY_CLIENT, "hold", S.HELD, id=number, shop_reference="dep_1", from_customer=named)

    assert f"\nAssetPay deposit `{number}` · Order: `dep_1` · Made: " in page(answer(one))
    assert f"\nAssetPay (client) deposit `{number}` · " in page(answer(one), Audience.STAFF)
    assert "\nFrom you: AK-47 | Redline, M4A4 | Howl, AWP | Asiimov, and 2 more\n" in page(answer(one))


@pytest.mark.parametrize("status", [0, 1, 2, 8, 9, 99])
def test_what_may_wait(status: int):
    """An open trade shows bot, offer and, to its owner, the code, with the warning to compare them."""
    pending = trade(status=status)
    own = page(answer(pending))

    assert f"\nBot: `{pending.bot}`\nOffer: `5678901234` · [open it in Steam](" in own
    assert "(https://steamcommunity.com/tradeoffer/5678901234/)\n" in own
    assert "**Your code: `ABCDEFGH`**" in own
    assert "compare in Steam: the bot, the number of items, and the code. If something" in warning(answer(pending))
    assert "The staff never asks for your code" in warning(answer(pending))
    assert "Never ask for the code" in warning(answer(pending), Audience.STAFF)
    assert "Your code" not in page(answer(altered(pending, code=None, offer_id="", bot=None)))
    erased = without_codes(answer(pending))
    assert "**Your code is no longer here.** Use `/trades` again" in page(erased)
    assert "Your code" not in page(replace(erased, viewer=BOT), Audience.STAFF)
    soon = replace(erased, codes_from=NOW)
    assert f"**Your code is shown later (<t:{int(NOW.timestamp())}:R>).**" in page(soon)
    assert "To see the code at once, use `/link start`" in page(soon)


def test_offer_of_another_provider():
    """Elsewhere there is no code: the warning names what the provider names; an offer shows when it expires."""
    offered = at(PAY, "active", S.OFFERED, bot_name="b1", expires_at=NOW + timedelta(minutes=9))
    own, bare = page(answer(offered)), at(BACK, "pending", S.OFFERED, bot=None, offer_id="", from_customer=())

    assert f"\nBot: **b1** `{BOT}`\nOffer: `5678901234` · [" in own
    assert f"\nThe offer expires: <t:{int(NOW.timestamp()) + 540}:R>" in own
    assert "compare in Steam: the bot and the number of items. If something" in warning(answer(offered))
    assert "code" not in own + warning(answer(offered)).replace("Steam Guard code", "")
    assert "code" not in warning(answer(offered), Audience.STAFF)
    assert "only an offer that the shop's own page announces" in warning(answer(bare))
    for audience in Audience:
        assert "There is nothing to compare for SkinsBack: trust only an offer" in warning(
            answer(bare, offered), audience
        )
        assert "nothing to compare" not in warning(answer(bare), audience) + warning(answer(offered), audience)
    assert "Bot:" not in page(answer(bare))
    assert "Offer:" not in page(answer(bare))


def test_offer_that_is_not_there_yet():
    """Who waits for an offer that is not made yet is not sent to Steam to accept it."""
    listed = answer(trade(status=0, offer_id=""))

    for audience in Audience:
        assert "The Steam offer is being created" in page(listed, audience)
        assert "**Mannco.store acts next**\nMannco.store shows no Steam offer yet" in page(listed, audience)
        assert "Your code is" not in page(listed, audience)


@pytest.mark.parametrize("offer_id", ["12/../../id/evil", "1" * 21, "٣", "12\n"])
def test_offer_that_is_no_number(offer_id: str):
    """Only a number becomes a part of an address."""
    assert "http" not in page(answer(trade(status=0, offer_id=offer_id)))


@pytest.mark.parametrize("status", [3, -1, -11, -12, 4, 5, 6, 7, 10])
def test_what_is_over(status: int):
    """A final trade shows no code, no bot to a customer, and no warning."""
    over = answer(trade(status=status))

    assert "ABCDEFGH" not in page(over) + page(over, Audience.STAFF)
    assert "Bot" not in page(over)
    assert warning(over) == warning(over, Audience.STAFF) == ""
