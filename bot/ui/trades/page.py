"""A page of trades of all providers, newest first, and the details of one of them."""

from collections.abc import Sequence

import discord

from bot.domain.failures import ProviderName
from bot.domain.snapshots import Audience, TradesAnswer, TradesView
from bot.domain.trades import Trade, TradeState
from bot.ports import Explanations
from bot.services.trade_context import TradeContext
from bot.ui.kit.layout import Field, Page, Tone, card, fit
from bot.ui.kit.text import joined, relative, utf16_length
from bot.ui.trades.block import label_for, trade_block
from bot.ui.trades.head import head, notes, nothing
from bot.ui.trades.lines import trade_lines

TRADES_A_PAGE = 6
"""About a screen of a phone; the longest of everything leaves room for the head."""

_ROOM = 4096
"""UTF-16 units of a description: the head gives way, so that no trade is cut off."""

_NEVER_ASKS = (
    "**The staff never asks for {secrets}your password or a Steam Guard code, or for items to be sent somewhere "
    "“safe”.**"
)
_NEVER_ASK = "Never ask for the code: only its owner is shown it."
_MENU = " *Details of a trade…* shows them."


def trades_page(
    answer: TradesAnswer,
    page: Page[int],
    *,
    audience: Audience,
    explanations: Explanations,
    context: TradeContext = TradeContext(),  # noqa: B008 -- it is frozen
    view: TradesView | None = None,
) -> discord.Embed:
    """Return a page of the answer's trades, which are named by their places: two lines a trade, an only one whole."""
    staff = audience is Audience.STAFF
    trades = [answer.trades[place] for place in page.items]
    only = bool(trades) and is_only_one(answer)
    if only:
        body = trade_block(trades[0], answer, explanations=explanations, staff=staff, context=context)
    elif trades:
        body = "\n\n".join(
            trade_lines(each, answer, context, explanations=explanations, staff=staff) for each in trades
        )
    elif view is not None:
        body = "None of these has failed any more. *All* shows them."
    else:
        body = nothing(answer, staff=staff)
    said = notes(answer, explanations=explanations, staff=staff)
    top = head(answer, context.members, failed=None if view is None else len(answer.positions(view)))
    if trades:
        top = "\n".join([top, *said])
    else:  # what to do comes after what was not found
        body = "\n".join(filter(None, [body, *said]))
    return card(
        title="Trades",
        description=f"{fit(top, max(_ROOM - utf16_length(body) - 2, 1))}\n\n{body}",
        fields=_warnings(trades, staff=staff, where="" if only else _MENU),
        colour=Tone.WAITING if any(trade.state.is_open for trade in trades) else Tone.NEUTRAL,
        footer=f"Page {page.index + 1} of {page.count}",
    )


def is_only_one(answer: TradesAnswer) -> bool:
    """Return whether the answer has one trade, which its page shows whole."""
    return len(answer.trades) == 1


def trade_details(
    trade: Trade, answer: TradesAnswer, context: TradeContext, *, audience: Audience, explanations: Explanations
) -> discord.Embed:
    """Return everything about one trade of an answer."""
    staff = audience is Audience.STAFF
    block = trade_block(trade, answer, explanations=explanations, staff=staff, context=context)
    return card(
        title="Trade",
        description=f"{block}\n\nAs read {relative(answer.read_at)}",
        fields=_warnings([trade], staff=staff, where=""),
        colour=Tone.WAITING if trade.state.is_open else Tone.NEUTRAL,
    )


def _warnings(trades: Sequence[Trade], *, staff: bool, where: str) -> Sequence[Field]:
    """Return what to compare before an offer is accepted, if one waits: only facts that the providers name."""
    offered = [trade for trade in trades if trade.state in (TradeState.OFFERED, TradeState.UNKNOWN)]
    if not offered:
        return ()
    has_code = any(trade.provider is ProviderName.MANNCO for trade in offered)
    facts = ["bot"] if any(trade.bot is not None or trade.bot_name for trade in offered) else []
    facts += ["number of items"] if any(trade.items for trade in offered) else []
    facts += ["code"] if has_code else []
    bare = [
        trade
        for trade in offered
        if not (trade.bot or trade.bot_name or trade.items or trade.provider is ProviderName.MANNCO)
    ]
    names = ", ".join(dict.fromkeys(label_for(trade.provider, staff=staff) for trade in bare))
    announced = f" Nothing is named here for {names}: trust only an offer that the shop's own page announces."
    if staff:
        what = f"Have the customer check in Steam that {joined(facts)} match their own `/trades`."
        if not facts:
            what = "Have the customer accept only an offer that the shop's own page announces."
        elif bare:
            what += announced
        return [Field("⚠️ While an offer waits", what + (f" {_NEVER_ASK}" if has_code else ""))]
    what = f"Check in Steam that {joined(facts)} match.{where} If not, do not accept, and tell the staff."
    if not facts:
        what = "Accept only an offer that the shop's own page announces. If you are unsure, ask the staff first."
    elif bare:
        what += announced
    return [Field("⚠️ Your turn", f"{what}\n{_NEVER_ASKS.format(secrets='your code, ' * has_code)}")]
