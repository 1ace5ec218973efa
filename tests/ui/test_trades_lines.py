"""Trades in two lines of a list, and the request for a resend under a trade."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.resends import WITHDRAWN, Outcome, ResendState
from bot.domain.snapshots import Audience
from bot.services.trade_context import TradeContext
from bot.ui.trades.page import trade_details
from tests.domain.builders import NOW, OWNER, resend, trade, usd
from tests.domain.builders import trades_answer as answer
from tests.ui.test_trades_page import CUSTOMER, EXPLANATIONS, NO_ONE, PAY, YOU, S, at, embed_of, page, warning

DENIED = resend(state=ResendState.DENIED, decided_by=5, settled_at=NOW, decision_reason="Trade ban")
WITHDRAWAL = {"decision_reason": WITHDRAWN, "settled_by": 5}
GONE = {"decision_reason": "no_longer_resendable"}
BANNED, PARAMETER = (
    "asked for {} · Reason: Trade ban",
    "asked for {} · Nothing was sent: Mannco.store says that a parameter is missing",
)
REQUESTS: list[tuple[ResendState, dict[str, Any], str, str]] = [
    (
        ResendState.PENDING,
        {},
        "⏳ **Resend asked for** {}: a moderator has to",
        "⏳ **Resend asked for** {}: a moderator",
    ),
    (ResendState.UNKNOWN, {}, "❓ **Resend asked for** {}: it may have been", "❓ **Resend asked for** {}: it may"),
    (
        ResendState.DENIED,
        {},
        f"⛔ **Resend denied** · {{}} · {BANNED}",
        f"⛔ **Resend denied** · by <@5> · {{}} · {BANNED}",
    ),
    (
        ResendState.DENIED,
        {"decision_reason": None},
        "asked for {} · No reason given",
        "by <@5> · {} · asked for {} · No reason",
    ),
    (
        ResendState.SENT,
        {},
        "✅ **Resend sent** · {} · asked for {}",
        "✅ **Resend sent** · by <@5> · {} · asked for {}",
    ),
    (ResendState.FAILED, {"outcome": Outcome.PARAMETER}, "❌ **Resend failed** · {} · asked for {}\n", PARAMETER),
    (
        ResendState.EXPIRED,
        {},
        "⌛ **Resend expired** · {} · asked for {} · No one decided",
        "asked for {} · No one decided",
    ),
    (
        ResendState.CANCELLED,
        GONE,
        "↩️ **Resend cancelled** · {} · asked for {} · The trade can no",
        "asked for {} · The trade",
    ),
    (
        ResendState.CANCELLED,
        WITHDRAWAL,
        "↩️ **Resend withdrawn** · {} · asked for {}",
        "**Resend withdrawn** · by <@5> · {}",
    ),
]


@pytest.mark.parametrize(("state", "facts", "to_customer", "to_staff"), REQUESTS)
def test_resend_that_was_asked_for(state: ResendState, facts: dict[str, Any], to_customer: str, to_staff: str):
    """List and details say since when a resend is asked for, how it was decided and why; who did is for staff."""
    failed, context = trade(), TradeContext({"123456": replace(DENIED, state=state, **facts)})
    several, now = answer(failed, trade(id=5)), f"<t:{int(NOW.timestamp())}:R>"
    for audience, said in ((Audience.CUSTOMER, to_customer), (Audience.STAFF, to_staff)):
        listed = str(embed_of(several, audience, context=context).description)
        details = str(trade_details(failed, several, context, audience=audience, explanations=EXPLANATIONS).description)

        for text in (listed, details):
            assert said.replace("{}", now) in text
            assert text.count("**Resend") == 1
            assert audience is Audience.STAFF or "<@" not in text
        assert ("/resend" in details) is not state.is_open


def test_two_lines():
    """A trade of several is two lines: state and amount, what it is and who acts; the reader's own turn stands out."""
    offered = at(PAY, "active", S.OFFERED, shop_reference="dep_1", total=usd("10.75"), id="0b5c1111-2222-3333-4444")
    over = trade(status=3, items_send=("1",))
    shown = f"<t:{int((NOW - timedelta(days=1)).timestamp())}:R>"
    own, everyones = answer(offered, over), answer(offered, over, of=None)

    _, first, second = page(own).split("\n\n")
    assert first.split("\n") == [
        "👉 **Waiting for you to accept the offer in Steam** · $10.75",
        f"AssetPay deposit · Order: `dep_1` · AK-47 | Redline and 2 more · {shown} · **{YOU}**",
    ]
    assert second == f"✅ **Completed**\nMannco.store withdrawal · `123456` · 1 item · {shown} · {NO_ONE}"
    assert "*Details of a trade…* shows them." in warning(own)
    for members, whose in (({OWNER: 42}, "<@42>"), ({}, f"`{OWNER}`")):
        text = str(embed_of(everyones, Audience.STAFF, context=TradeContext({}, members)).description)
        assert f"\n{whose} · AssetPay deposit · Order: `dep_1`" in text
        assert f" · {CUSTOMER}\n\n" in text
