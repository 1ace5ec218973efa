"""A page of trades of all providers, newest first, and the details of one of them."""

from collections.abc import Sequence

import discord

from bot.domain.failures import ProviderName
from bot.domain.snapshots import Audience, TradesAnswer, TradesView
from bot.domain.trades import Trade, TradeState
from bot.languages import listed, number, paragraph, t, tp
from bot.ports import Explanations
from bot.services.trade_context import TradeContext
from bot.ui.kit.layout import Field, Page, Tone, card, fit
from bot.ui.kit.text import relative, utf16_length
from bot.ui.trades.block import trade_block
from bot.ui.trades.facts import label_for
from bot.ui.trades.head import head, notes, nothing
from bot.ui.trades.lines import trade_lines

TRADES_A_PAGE = 6
"""About a screen of a phone; the longest of everything leaves room for the head."""

_ROOM = 4096
"""UTF-16 units of a description: the head gives way, so that no trade is cut off."""


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
        body = t("There are no failed trades here now. *All* shows all trades.")
    else:
        body = nothing(answer, staff=staff)
    said = notes(answer, explanations=explanations, staff=staff)
    top = head(answer, context.members, failed=None if view is None else len(answer.positions(view)))
    if trades:
        top = "\n".join([top, *said])
    else:  # what to do comes after what was not found
        body = "\n".join(filter(None, [body, *said]))
    return card(
        title=t("Trades"),
        description=f"{fit(top, max(_ROOM - utf16_length(body) - 2, 1))}\n\n{body}",
        fields=_warnings(trades, staff=staff, in_menu=not only),
        colour=Tone.WAITING if any(trade.state.is_open for trade in trades) else Tone.NEUTRAL,
        footer=t("Page {page} of {pages}", page=number(page.index + 1), pages=number(page.count)),
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
        title=t("Trade"),
        description="\n\n".join([block, t("Read: {when}", when=relative(answer.read_at))]),
        fields=_warnings([trade], staff=staff, in_menu=False),
        colour=Tone.WAITING if trade.state.is_open else Tone.NEUTRAL,
    )


def _warnings(trades: Sequence[Trade], *, staff: bool, in_menu: bool) -> Sequence[Field]:
    """Return what to compare before an offer is accepted, if one waits: only facts that the providers name.

    ``in_menu``: the page's menu leads to these facts.
    """
    offered = [trade for trade in trades if trade.state in (TradeState.OFFERED, TradeState.UNKNOWN)]
    if not offered:
        return ()
    has_code = any(trade.provider is ProviderName.MANNCO for trade in offered)
    facts = _facts_to_compare(offered, has_code=has_code)
    bare = [
        trade
        for trade in offered
        if not (trade.bot or trade.bot_name or trade.items or trade.provider is ProviderName.MANNCO)
    ]
    if not facts:
        only_announced = (
            t("Ask the customer to accept only an offer that the shop's own page announces.")
            if staff
            else t("Accept only an offer that the shop's own page announces. If you are unsure, ask the staff first.")
        )
        said = [only_announced]
    elif staff:
        said = [t("Ask the customer to compare in Steam with their own `/trades`: {facts}.", facts=facts)]
    else:
        said = [t("Before you accept, compare in Steam: {facts}.", facts=facts)]
        said += [t("*Details of a trade…* shows them.")] if in_menu else []
        said += [t("If something does not match, do not accept, and tell the staff.")]
    if facts and bare:
        names = listed(dict.fromkeys(label_for(trade.provider, staff=staff) for trade in bare))
        said.append(
            t(
                "There is nothing to compare for {providers}: trust only an offer that the shop's own page announces.",
                providers=names,
            )
        )
    if staff:
        said += [t("Never ask for the code: only its owner is shown it.")] if has_code else []
        return [Field(t("⚠️ While an offer waits"), paragraph(*said))]
    return [Field(t("⚠️ Your turn"), "\n".join([paragraph(*said), _never_asks(has_code=has_code)]))]


def _facts_to_compare(offered: Sequence[Trade], *, has_code: bool) -> str:
    """Return what can be compared in Steam for these trades; empty without anything."""
    facts = []
    if any(trade.bot is not None or trade.bot_name for trade in offered):
        facts.append(tp("to compare", "the bot"))
    if any(trade.items for trade in offered):
        facts.append(tp("to compare", "the number of items"))
    if has_code:
        facts.append(tp("to compare", "the code"))
    return listed(facts)


def _never_asks(*, has_code: bool) -> str:
    if has_code:
        return t(
            "**The staff never asks for your code, your password or a Steam Guard code, or for items to be sent "
            "somewhere “safe”.**"
        )
    return t(
        "**The staff never asks for your password or a Steam Guard code, or for items to be sent somewhere “safe”.**"
    )
