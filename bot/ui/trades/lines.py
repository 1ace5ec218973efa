"""A trade in two lines of a list, and as an option of the menu that opens it."""

from datetime import datetime

import discord

from bot.domain.snapshots import TradesAnswer
from bot.domain.trades import Direction, Trade
from bot.languages import number, t, tn
from bot.ports import Explanations
from bot.services.trade_context import TradeContext
from bot.ui.kit.text import code, money, outside, plain, relative, utf16_length
from bot.ui.resends.asked import asked_line
from bot.ui.trades.facts import kind_of, symbol_of, title_of, total_of, which_of
from bot.ui.trades.next_step import actor_of

_ORDER = 28
_NUMBER = 20
_ITEM = 32
_LONGEST_REASON = 80
_OPTION = 100
_OPTION_ID = 40
_OPTION_ORDER = 22


def trade_lines(
    trade: Trade, answer: TradesAnswer, context: TradeContext, *, explanations: Explanations, staff: bool
) -> str:
    """Return a trade's state and amount, below them what it is and who acts next, and a resend that was asked for."""
    status = explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind)
    actor = actor_of(trade, status, answer.read_at, explanations=explanations, staff=staff)
    total = total_of(trade)
    state = f"{_symbol(trade, is_readers=actor.is_reader)} **{title_of(trade, status, staff=staff)}**"
    order = trade.shop_reference
    facts = [
        kind_of(trade, staff=staff),
        t("Order: {order}", order=code(order, _ORDER)) if order else code(trade.id, _NUMBER),
        _items(trade),
    ]
    if staff and answer.steam_id is None and trade.owner is not None:
        member = context.member_of(trade)
        facts.insert(0, f"<@{member}>" if member is not None else f"`{trade.owner}`")
    facts += [] if trade.created_at is None else [relative(trade.created_at)]
    facts.append(f"**{actor.text}**" if actor.is_reader else actor.text)
    resend = context.resend_of(trade)
    lines = [state if total is None else f"{state} · {money(total)}", " · ".join(filter(None, facts))]
    lines += [] if resend is None else [asked_line(resend, staff=staff, longest=_LONGEST_REASON)]
    return "\n".join(lines)


def trade_option(
    trade: Trade, place: int, read_at: datetime, *, explanations: Explanations, staff: bool
) -> discord.SelectOption:
    """Return the option that opens a trade; its value is the trade's place in the answer."""
    status = explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind)
    actor = actor_of(trade, status, read_at, explanations=explanations, staff=staff)
    total = total_of(trade)
    state = f"{_symbol(trade, is_readers=actor.is_reader)} {title_of(trade, status, staff=staff)}"
    label = state if total is None else f"{state} · {money(total)}"
    facts = [which_of(trade, plain(trade.id, _OPTION_ID), staff=staff)]
    if trade.shop_reference:
        facts.append(t("Order: {order}", order=plain(trade.shop_reference, _OPTION_ORDER)))
    description = " · ".join(facts)
    return discord.SelectOption(
        label=label if utf16_length(label) <= _OPTION else plain(label, _OPTION),
        value=str(place),
        description=description if utf16_length(description) <= _OPTION else plain(description, _OPTION),
    )


def _symbol(trade: Trade, *, is_readers: bool) -> str:
    """Return a trade's symbol: an open one that waits for its reader is pointed at."""
    return "👉" if is_readers and trade.state.is_open else symbol_of(trade)


def _items(trade: Trade) -> str:
    """Return the first item by name and how many more there are, or how many there are."""
    if not trade.items:
        return t("No items") if trade.direction is Direction.NOTHING else ""
    first = next((item for item in trade.items if item.name), None)
    if first is None:
        return tn("{count} item", "{count} items", len(trade.items))
    name, left = outside(first.name, _ITEM), len(trade.items) - 1
    return t("{item} and {more} more", item=name, more=number(left)) if left else name
