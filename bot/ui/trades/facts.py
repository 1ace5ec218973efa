"""Facts of a trade in words: which one it is, its state, why it failed, and its money."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from bot.domain.failures import Explanation, ProviderName, StatusExplanation
from bot.domain.money import Money
from bot.domain.trades import Direction, Trade, TradeItem, TradeState
from bot.languages import Message, t
from bot.ports import Explanations
from bot.ui.kit.text import code, labelled, money

NOT_MADE = frozenset({TradeState.FAILED, TradeState.CANCELLED})

_SYMBOLS = {
    TradeState.COMPLETED: "✅",
    TradeState.FAILED: "❌",
    TradeState.CANCELLED: "↩️",
    TradeState.REVERTED: "↩️",
    TradeState.UNKNOWN: "❔",
}
_KINDS = {
    Direction.DEPOSIT: Message("{provider} deposit"),
    Direction.WITHDRAWAL: Message("{provider} withdrawal"),
    Direction.NOTHING: Message("{provider} trade"),
}
_WHICH = {
    Direction.DEPOSIT: Message("{provider} deposit {trade}"),
    Direction.WITHDRAWAL: Message("{provider} withdrawal {trade}"),
    Direction.NOTHING: Message("{provider} trade {trade}"),
}
_FAILED_ITEMS = frozenset({"failed", "canceled", "cancelled", "declined", "reverted", "FAILED", "REVERTED"})
"""AssetPay's words about an item that did not go through, of both dialects (trades.md, 1.6 and 2)."""


@cache
def label_for(provider: ProviderName, *, staff: bool) -> str:
    """Return a provider's name: to a customer, AssetPay's dialects and ways to ask are one provider."""
    return provider.label if staff else family_of(provider)


@cache
def family_of(provider: ProviderName) -> str:
    """Return the name that all dialects of a provider share."""
    return ProviderName(provider.family).label


def kind_of(trade: Trade, *, staff: bool) -> str:
    """Return the provider of a trade and its direction."""
    return _KINDS[trade.direction](provider=label_for(trade.provider, staff=staff))


def which_of(trade: Trade, number: str, *, staff: bool) -> str:
    """Return which trade it is, with its number as it is safe to show."""
    return _WHICH[trade.direction](provider=label_for(trade.provider, staff=staff), trade=number)


def headline(trade: Trade, *, explanations: Explanations, staff: bool) -> str:
    """Return a trade's state and which trade it is, on one line."""
    status = explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind)
    which = which_of(trade, code(trade.id, 48), staff=staff)
    return f"{symbol_of(trade)} {title_of(trade, status, staff=staff)} · {which}"


def symbol_of(trade: Trade) -> str:
    """Return the symbol of a trade's state."""
    return "⚠️" if is_partial(trade) else _SYMBOLS.get(trade.state, "⏳")


def title_of(trade: Trade, status: StatusExplanation, *, staff: bool) -> str:
    """Return a trade's state in words, with the provider's own word if it is not known."""
    if trade.lacks_offer:
        return t("The Steam offer is being created")
    title = status.title if staff else status.customer_title or status.title
    if status.known or status.word in status.title:
        return title
    return labelled(title, code(trade.status, 40))


def has_failed(item: TradeItem) -> bool:
    """Return whether an item did not go through."""
    return bool(item.error) or item.status in _FAILED_ITEMS


def is_partial(trade: Trade) -> bool:
    """Return whether a trade is over and some of its items did not go through."""
    return trade.state is TradeState.COMPLETED and (trade.status == "PARTIAL" or any(map(has_failed, trade.items)))


def undone_by(trade: Trade) -> str:
    """Return who undid a trade: ``user``, ``supplier``, another word, or nothing."""
    return trade.reverted_by.strip().casefold() if trade.state is TradeState.REVERTED else ""


def explanation_of(trade: Trade, explanations: Explanations) -> Explanation | StatusExplanation:
    """Return the explanation that tells most about a trade: why it failed, or else its status."""
    cause = cause_of(trade, explanations)
    return cause or explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind)


def cause_of(trade: Trade, explanations: Explanations) -> Explanation | None:
    """Return the explanation of a failed trade's last error, if that is known."""
    if trade.state not in NOT_MADE or not trade.last_error:
        return None
    return explanations.trade_error(trade.provider.dialect, trade.last_error)


def money_of(trade: Trade) -> str:
    """Return the price of a withdrawal, or what the customer is credited for a deposit and when."""
    return " · ".join(_amounts(trade))


def _amounts(trade: Trade) -> Iterator[str]:
    if trade.direction is not Direction.DEPOSIT:
        if trade.total is not None:
            yield t("Price: {amount}", amount=_bold(trade.total))
        return
    now, later, total = _above_zero(trade.credited_now), _above_zero(trade.credited_later), total_of(trade)
    if not trade.state.is_open:
        if total is not None:
            yield _settled(trade, _bold(total))
            if trade.state is TradeState.REVERTED and now is not None:
                yield t("Credited before that: {amount}", amount=_bold(now))
        return
    if now is None:
        later = later or total
    elif trade.state is TradeState.HELD:
        yield t("Credited already: {amount}", amount=_bold(now))
    else:
        yield t("Credit when the offer is accepted: {amount}", amount=_bold(now))
    if later is not None:
        yield t("Credit when the deposit is completed: {amount}", amount=_bold(later))


def _settled(trade: Trade, amount: str) -> str:
    """Return what became of the amount of a deposit that is over."""
    if trade.state is TradeState.REVERTED:
        # Translators: the trade was undone, with the credit of {amount} for it.
        return t("Reversed: {amount}", amount=amount)
    if trade.state in NOT_MADE:
        return t("Not credited: {amount}", amount=amount)
    if trade.provider is ProviderName.SKINSBACK:  # it has paid the project; its shop credits the customer
        return t("Credit: {amount}", amount=amount)
    return t("Credited: {amount}", amount=amount)


def total_of(trade: Trade) -> Money | None:
    """Return what a customer is credited or pays in all, if it is known."""
    if trade.total is not None or trade.direction is not Direction.DEPOSIT:
        return trade.total
    now, later = _above_zero(trade.credited_now), _above_zero(trade.credited_later)
    return now if later is None else later if now is None else None


def _above_zero(amount: Money | None) -> Money | None:
    return amount if amount is not None and amount.amount else None


def _bold(amount: Money) -> str:
    return f"**{money(amount)}**"
