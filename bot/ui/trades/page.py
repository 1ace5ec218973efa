"""One page of trades of all providers, newest first."""

from collections.abc import Sequence

import discord

from bot.domain.failures import ProviderName
from bot.domain.snapshots import Audience, TradesAnswer
from bot.domain.trades import Trade, TradeState
from bot.ports import Explanations
from bot.ui.kit.layout import Field, Page, Tone, card, fit
from bot.ui.kit.text import utf16_length
from bot.ui.trades.block import label_for, trade_block
from bot.ui.trades.head import head, notes, nothing

TRADES_A_PAGE = 3
"""About a screen of a phone; the longest of everything leaves room for the head."""

_ROOM = 4096
"""UTF-16 units of a description: the head gives way, so that no trade is cut off."""

_NEVER_ASKS = (
    "**The staff never asks for {secrets}your password or a Steam Guard code, or for items to be sent somewhere "
    "“safe”.**"
)
_NEVER_ASK = "Never ask for the code: only its owner is shown it."


def trades_page(
    answer: TradesAnswer, page: Page[Trade], *, audience: Audience, explanations: Explanations
) -> discord.Embed:
    """Return a page of the answer's trades."""
    staff = audience is Audience.STAFF
    offered = [trade for trade in page.items if trade.state in (TradeState.OFFERED, TradeState.UNKNOWN)]
    if page.items:
        body = "\n\n".join(trade_block(each, answer, explanations=explanations, staff=staff) for each in page.items)
    else:
        body = nothing(answer, staff=staff)
    said = notes(answer, explanations=explanations, staff=staff)
    top = head(answer)
    if page.items:
        top = "\n".join([top, *said])
    else:  # what to do comes after what was not found
        body = "\n".join(filter(None, [body, *said]))
    return card(
        title="Trades",
        description=f"{fit(top, max(_ROOM - utf16_length(body) - 2, 1))}\n\n{body}",
        fields=[_warning(offered, staff=staff)] if offered else [],
        colour=Tone.WAITING if any(trade.state.is_open for trade in page.items) else Tone.NEUTRAL,
        footer=f"Page {page.index + 1} of {page.count}",
    )


def _warning(offered: Sequence[Trade], *, staff: bool) -> Field:
    """Return what to compare before an offer is accepted: what the providers name, and nothing else."""
    has_code = any(trade.provider is ProviderName.MANNCO for trade in offered)
    facts = ["bot"] if any(trade.bot is not None or trade.bot_name for trade in offered) else []
    facts += ["items"] if any(trade.items for trade in offered) else []
    facts += ["code"] if has_code else []
    *first, last = [f"the {fact}" for fact in facts] or [""]
    compared = f"{', '.join(first)} and {last}" if first else last
    bare = [
        trade
        for trade in offered
        if not (trade.bot or trade.bot_name or trade.items or trade.provider is ProviderName.MANNCO)
    ]
    names = ", ".join(dict.fromkeys(label_for(trade.provider, staff=staff) for trade in bare))
    announced = f" Nothing is named here for {names}: trust only an offer that the shop's own page announces."
    if staff:
        what = f"Have the customer compare {compared} in Steam's own page with their own `/trades`."
        if not compared:
            what = "Have the customer accept only an offer that the shop's own page announces."
        elif bare:
            what += announced
        return Field("⚠️ While an offer waits", what + (f" {_NEVER_ASK}" if has_code else ""))
    what = (
        f"Look at it in Steam's own page or app: {compared} there have to be the same as here. "
        "If anything differs, do not accept, and tell the staff."
    )
    if not compared:
        what = "Accept only an offer that the shop's own page announces. If you are unsure, ask the staff first."
    elif bare:
        what += announced
    return Field("⚠️ Before you accept an offer", f"{what} {_NEVER_ASKS.format(secrets='your code, ' * has_code)}")
