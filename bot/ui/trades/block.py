"""One trade on a page: its state, who acts next, its money, and the facts to compare before accepting an offer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

from bot.domain.failures import Explanation, Fixer, ProviderName, Repeat, StatusExplanation
from bot.domain.money import Money
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam_links import offer_url
from bot.domain.trades import Direction, Trade, TradeItem, TradeState
from bot.languages import Message
from bot.ports import Explanations
from bot.services.trade_context import TradeContext
from bot.ui.explain import error_name
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, count, day, money, outside, relative
from bot.ui.resends.asked import asked_line

_NAMES_SHOWN = 3
_LONGEST_NAME = 40
_ASSETS_SHOWN = 2
_CAUSES_SHOWN = 2
_LONGEST_REASON = 300

WAITS = frozenset({TradeState.PREPARED, TradeState.OFFERED, TradeState.UNKNOWN})
"""The states of a trade whose offer may wait for the customer."""

_OVERDUE = timedelta(days=2)
"""After the end of a hold: a short settlement follows it, and estimates are good to the day."""

_NOT_MADE = frozenset({TradeState.FAILED, TradeState.CANCELLED})
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

_BEFORE_RESEND = {
    Repeat.AFTER_FIX: "After that, ",
    Repeat.LATER: "After that, ",
    Repeat.NEVER: "The same offer would most likely fail again. ",
}
_NO_ONE = "No one has to act"
_ACTORS_FOR_CUSTOMERS = {
    Fixer.CUSTOMER: "You act next",
    Fixer.AGENT: "The staff acts next",
    Fixer.ADMINISTRATOR: "The staff acts next",
    Fixer.TIME: "It goes on by itself",
}
_ACTORS_FOR_STAFF = _ACTORS_FOR_CUSTOMERS | {
    Fixer.CUSTOMER: "The customer acts next",
    Fixer.AGENT: "You act next",
    Fixer.ADMINISTRATOR: "An administrator acts next",
}
_FAILED_ITEMS = frozenset({"failed", "canceled", "cancelled", "declined", "reverted", "FAILED", "REVERTED"})
"""AssetPay's words about an item that did not go through, of both dialects (trades.md, 1.6 and 2)."""
_PARTIAL_FOR_CUSTOMERS = (
    "Some of the items did not go through. Check that you got their price back, and order them again if you still "
    "want them."
)
_PARTIAL_FOR_STAFF = (
    "Settle only the items that went through. The customer can order the others again: check that their price was "
    "given back."
)


@cache
def label_for(provider: ProviderName, *, staff: bool) -> str:
    """Return a provider's name: to a customer, AssetPay's dialects and ways to ask are one provider."""
    return provider.label if staff else _family(provider)


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


@cache
def _family(provider: ProviderName) -> str:
    return ProviderName(provider.family).label


def trade_block(
    trade: Trade,
    answer: TradesAnswer,
    *,
    explanations: Explanations,
    staff: bool,
    context: TradeContext = TradeContext(),  # noqa: B008 -- it is frozen
) -> str:
    """Return one trade for its reader, several lines."""
    status = explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind)
    cause, resend = _cause(trade, explanations), context.resend_of(trade)
    actor = actor_of(trade, status, answer.read_at, explanations=explanations, staff=staff)
    lines = [
        f"{symbol_of(trade)} **{title_of(trade, status, staff=staff)}**",
        _which(trade, staff=staff),
        _items(trade, staff=staff),
        _why(trade, cause, staff=staff),
        _failed_items(trade, explanations, staff=staff),
        _who_undid_it(trade, staff=staff),
        f"**{actor}.** {_step(trade, status, cause, answer.read_at, staff=staff)}",
        asked_line(resend, staff=staff, longest=_LONGEST_REASON) if resend is not None else "",
        _resending(trade, cause) if resend is None or not resend.state.is_open else "",
        _money(trade),
        *(_to_compare(trade, answer, staff=staff) if staff or trade.state in WAITS else ()),
        *(_for_staff(trade, cause, answer, context.member_of(trade)) if staff else ()),
    ]
    return "\n".join(filter(None, lines))


def symbol_of(trade: Trade) -> str:
    """Return the symbol of a trade's state."""
    return "⚠️" if _is_partial(trade) else _SYMBOLS.get(trade.state, "⏳")


def title_of(trade: Trade, status: StatusExplanation, *, staff: bool) -> str:
    """Return a trade's state in words, with the provider's own word if it is not known."""
    if trade.lacks_offer:
        return "The Steam offer is being created"
    title = status.title if staff else status.customer_title or status.title
    if status.known or status.word in status.title:
        return title
    return f"{title}: {code(trade.status, 40)}"


def _which(trade: Trade, *, staff: bool) -> str:
    facts = [which_of(trade, code(trade.id, 48), staff=staff)]
    if trade.shop_reference:
        facts.append(f"order {code(trade.shop_reference, 132)}")
    if trade.created_at is not None:
        facts.append(f"made {relative(trade.created_at)}")
    return " · ".join(facts)


def _items(trade: Trade, *, staff: bool) -> str:
    """Return the first items by name, or how many there are, and the direction in which they move."""
    if not trade.items:
        return "No items" if trade.direction is Direction.NOTHING else ""
    reader = "the customer" if staff else "you"
    whom = {Direction.DEPOSIT: f"from {reader}", Direction.WITHDRAWAL: f"to {reader}"}.get(trade.direction, "")
    named = [item for item in trade.items if item.name][:_NAMES_SHOWN]
    if not named:
        game = [] if trade.game is None else [trade.game.label]
        return " · ".join([f"{count(len(trade.items), 'item')} {whom}".rstrip(), *game])
    names = ", ".join(f"{'❌ ' if _has_failed(item) else ''}{outside(item.name, _LONGEST_NAME)}" for item in named)
    left = len(trade.items) - len(named)
    return f"{whom.capitalize() or 'Items'}: {names}{f' and {left:,} more' if left else ''}"


def _has_failed(item: TradeItem) -> bool:
    return bool(item.error) or item.status in _FAILED_ITEMS


def _is_partial(trade: Trade) -> bool:
    """Return whether a trade is over and some of its items did not go through."""
    return trade.state is TradeState.COMPLETED and (trade.status == "PARTIAL" or any(map(_has_failed, trade.items)))


def explanation_of(trade: Trade, explanations: Explanations) -> Explanation | StatusExplanation:
    """Return the explanation that tells most about a trade: why it failed, or else its status."""
    cause = _cause(trade, explanations)
    return cause or explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind)


def _cause(trade: Trade, explanations: Explanations) -> Explanation | None:
    """Return the meaning of a failed trade's last error, if it is known."""
    if trade.state not in _NOT_MADE or not trade.last_error:
        return None
    return explanations.trade_error(trade.provider.dialect, trade.last_error)


def _why(trade: Trade, cause: Explanation | None, *, staff: bool) -> str:
    """Return why a trade failed, if its last error says it."""
    if trade.state not in _NOT_MADE or not trade.last_error:
        return ""
    if cause is not None:
        name = error_name(cause) if staff else ""
        return f"**Why it failed:** {cause.title}" + (f" · {name}" if name else "")
    if staff:
        return ""
    return f"**Why it failed:** {_family(trade.provider)} named the staff a reason. Ask them, with this trade's number."


def _failed_items(trade: Trade, explanations: Explanations, *, staff: bool) -> str:
    """Return how many items failed and why, unless the trade's own error says it of all of them."""
    failed = [item for item in trade.items if _has_failed(item)]
    errors = dict.fromkeys(item.error.strip() for item in failed if item.error.strip())
    if not failed or (len(failed) == len(trade.items) and set(errors) <= {trade.last_error.strip()}):
        return ""
    reasons = []
    for error in errors:
        cause = explanations.trade_error(trade.provider.dialect, error)
        if cause is not None:
            reasons.append(cause.title)
        elif staff:
            reasons.append(code(without_markup(error), 48))
    text = "; ".join(reasons[:_CAUSES_SHOWN]) + (" and others" if len(reasons) > _CAUSES_SHOWN else "")
    sums = f"{len(failed):,} of {count(len(trade.items), 'item')} failed"
    return f"**{sums}:** {text}" if text else f"**{sums}.**"


def _undone_by(trade: Trade) -> str:
    """Return who undid a trade: ``user``, ``supplier``, another word, or nothing."""
    return trade.reverted_by.strip().casefold() if trade.state is TradeState.REVERTED else ""


def _who_undid_it(trade: Trade, *, staff: bool) -> str:
    by = _undone_by(trade)
    if by == "user":
        return f"**Who undid it:** {'the customer, from their' if staff else 'you, from your'} Steam account"
    if by == "supplier":
        whose = "" if staff else ": that is not your doing"
        return f"**Who undid it:** {_family(trade.provider)}'s supplier{whose}"
    return f"**Who undid it:** {code(trade.reverted_by, 24)}" if staff and by else ""


def actor_of(
    trade: Trade, status: StatusExplanation, read_at: datetime, *, explanations: Explanations, staff: bool
) -> str:
    """Return who acts next, or that it goes on by itself."""
    actors = _ACTORS_FOR_STAFF if staff else _ACTORS_FOR_CUSTOMERS
    fixer = status.fixer
    if trade.state is TradeState.HELD and trade.hold_ends is not None:
        return _completes(trade, trade.hold_ends, read_at)
    if trade.state is TradeState.COMPLETED and not _is_partial(trade):
        return "The shop credits it" if trade.provider is ProviderName.SKINSBACK else _NO_ONE
    if trade.not_resendable is None:
        return "You or the customer act next" if staff else "You or the staff act next"
    if trade.state is TradeState.PREPARED and trade.direction is Direction.WITHDRAWAL and trade.status == "initiated":
        return "The shop acts next"  # AssetPay asks the merchant's server for approval (trades.md, 1.6)
    if trade.lacks_offer or fixer is Fixer.PROVIDER:
        return f"{_family(trade.provider)} acts next"
    if trade.state is TradeState.FAILED:
        cause = _cause(trade, explanations)  # not looked for earlier: it takes longest of all
        of_staff = cause is not None and cause.fixer in (Fixer.AGENT, Fixer.ADMINISTRATOR)
        fixer = cause.fixer if cause is not None and of_staff else Fixer.CUSTOMER
    elif _is_partial(trade) or _undone_by(trade) == "user":
        fixer = Fixer.AGENT if staff else Fixer.CUSTOMER
    return actors[fixer]


def _completes(trade: Trade, ends: datetime, read_at: datetime) -> str:
    """Return when a trade on hold completes: an estimate is good to the day."""
    if read_at - ends >= _OVERDUE:
        ended = f"about {day(ends)}, by estimate" if trade.hold_end_is_estimate else relative(ends)
        return f"It should be completed by now: the protection ended {ended}"
    if trade.hold_end_is_estimate:
        if ends <= read_at:
            return f"It should complete any day: by estimate, the protection ended about {day(ends)}"
        return f"It completes by itself about {day(ends)}, by estimate"
    if ends <= read_at:
        return f"It completes by itself soon: the protection ended {relative(ends)}"
    return f"It completes by itself {relative(ends)}"


def _step(trade: Trade, status: StatusExplanation, cause: Explanation | None, read_at: datetime, *, staff: bool) -> str:
    if trade.state is TradeState.HELD and trade.hold_ends is not None and read_at - trade.hold_ends >= _OVERDUE:
        return (
            f"Ask {_family(trade.provider)} about it."
            if staff
            else "Tell the staff the number of this trade: they can ask."
        )
    if trade.lacks_offer:
        return f"{_family(trade.provider)} names no offer yet: look again in a few minutes."
    if _is_partial(trade):
        return _PARTIAL_FOR_STAFF if staff else _PARTIAL_FOR_CUSTOMERS
    if _undone_by(trade) == "supplier":
        return (
            "Check that the customer got the price back."
            if staff
            else "The trade counts as not made. Ask the staff about your refund."
        )
    shown = cause or status
    step = shown.agent if staff else shown.customer
    if staff and cause is None and trade.state is TradeState.FAILED and trade.last_error:
        step = f"The last error says why. {step}"
    if trade.state in _NOT_MADE and trade.provider is not ProviderName.MANNCO:
        step += f" {_family(trade.provider)} has no resend."
    return step


def _resending(trade: Trade, cause: Explanation | None) -> str:
    """Return whether and how a failed trade of Mannco.store can be resent."""
    if trade.state is not TradeState.FAILED or trade.provider is not ProviderName.MANNCO:
        return ""
    if trade.not_resendable is None:
        before = "" if cause is None else _BEFORE_RESEND.get(cause.repeat, "")
        return f"{before}`/resend id:{trade.id}` asks a moderator to have the offer sent again."
    if trade.direction is Direction.NOTHING:
        return "A trade without items cannot be resent."
    return "A deposit cannot be resent: a new one has to be started on the site."


def _money(trade: Trade) -> str:
    """Return the price of a withdrawal, or what the customer is credited for a deposit and when."""
    if trade.direction is not Direction.DEPOSIT:
        return "" if trade.total is None else f"Price: {_bold(trade.total)}"
    now, later, total = _above_zero(trade.credited_now), _above_zero(trade.credited_later), total_of(trade)
    if trade.state is TradeState.COMPLETED:
        is_paid = trade.provider is ProviderName.SKINSBACK  # to the project; its shop credits the customer
        return "" if total is None else f"{'Credit' if is_paid else 'Credited'}: {_bold(total)}"
    if trade.state in _NOT_MADE:
        return "" if total is None else f"Not credited: {_bold(total)}"
    if trade.state is TradeState.REVERTED:
        before = "" if now is None else f", {_bold(now)} of it was credited before that"
        return "" if total is None else f"Undone: {_bold(total)}{before}"
    if now is None:
        later = later or total
    at_once = "already" if trade.state is TradeState.HELD else "as soon as the offer is accepted"
    parts = [] if now is None else [f"{_bold(now)} {at_once}"]
    parts += [] if later is None else [f"{_bold(later)} when the deposit is completed"]
    return f"Credit: {', '.join(parts)}" if parts else ""


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


def _to_compare(trade: Trade, answer: TradesAnswer, *, staff: bool) -> Iterator[str]:
    """Yield the facts to compare in Steam: the bot, the offer and its end, and for its owner the code."""
    waits = trade.state in WAITS
    bot = [f"**{outside(trade.bot_name, 24)}**"] if trade.bot_name else []
    bot += [f"`{trade.bot}`"] if trade.bot is not None else []
    facts = [f"Bot {' '.join(bot)}"] if bot else []
    if trade.offer_id:
        facts.append(f"{'offer' if facts and staff else 'Offer'} {code(trade.offer_id, 24)}")
        if not staff and (url := offer_url(trade.offer_id)) is not None:
            facts[-1] += f" · [open it in Steam]({url})"
    yield (" · " if staff else "\n").join(facts)
    if waits and trade.expires_at is not None:
        yield f"The offer {'expired' if trade.expires_at <= answer.read_at else 'expires'} {relative(trade.expires_at)}"
    if not waits or trade.provider is not ProviderName.MANNCO:
        return
    is_own = trade.owner is not None and trade.owner == answer.viewer
    if trade.code is not None:
        yield f"**Your code: {code(trade.code.reveal(), 24)}**"
    elif is_own and answer.codes_from is not None:
        yield (
            f"**Your code is shown {relative(answer.codes_from)}:** you or this Steam account were linked differently "
            "not long ago. `/link start` shows it at once: signing in at Steam proves that the account is yours."
        )
    elif is_own and trade.offer_id:  # codes are only in memory, for a short time
        yield "**Your code is no longer here:** `/trades`, used again, shows it where there is one."


def _for_staff(trade: Trade, cause: Explanation | None, answer: TradesAnswer, member: int | None) -> Iterator[str]:
    """Yield whose it is, and the raw facts."""
    whose = [] if member is None else [f"<@{member}>"]
    owner = ""
    if trade.owner is None:
        owner = f" · {trade.provider.label} named no account"
    elif answer.steam_id is None or whose:
        owner = f" · customer {' '.join([*whose, f'`{trade.owner}`'])}"
    merchant = "" if trade.merchant_amount is None else f" · merchant's side {money(trade.merchant_amount)}"
    yield f"Status {code(trade.status, 40)}{owner}{merchant}"
    assets = [item.asset_id for item in trade.items if item.asset_id and not item.name]
    if assets:
        left = len(assets) - _ASSETS_SHOWN
        shown = " ".join(code(asset_id, 20) for asset_id in assets[:_ASSETS_SHOWN])
        yield f"Assets {shown}{f' and {left:,} more' if left > 0 else ''}"
    if trade.last_error and (cause is None or cause.key != trade.last_error.strip()):
        yield f"Last error: {outside(without_markup(trade.last_error), 120)}"
