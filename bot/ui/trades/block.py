"""One trade on a page: its state, who acts next, its money, and the facts to compare before accepting an offer."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.failures import Explanation, ProviderName
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam_links import offer_url
from bot.domain.trades import Direction, Trade, TradeState
from bot.languages import Message, listed, number, t, tn
from bot.ports import Explanations
from bot.services.trade_context import TradeContext
from bot.ui.explain import error_name
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, money, outside, relative
from bot.ui.resends.asked import asked_line
from bot.ui.trades.facts import (
    NOT_MADE,
    cause_of,
    family_of,
    has_failed,
    money_of,
    symbol_of,
    title_of,
    undone_by,
    which_of,
)
from bot.ui.trades.next_step import actor_of, resending, step_of

_NAMES_SHOWN = 3
_LONGEST_NAME = 40
_ASSETS_SHOWN = 2
_CAUSES_SHOWN = 2
_LONGEST_REASON = 300

WAITS = frozenset({TradeState.PREPARED, TradeState.OFFERED, TradeState.UNKNOWN})
"""The states of a trade whose offer may wait for the customer."""

_ITEMS_FOR_CUSTOMERS = {
    # Translators: {items} are names of items, or "2 items".
    Direction.DEPOSIT: Message("From you: {items}"),
    Direction.WITHDRAWAL: Message("To you: {items}"),
}
_ITEMS_FOR_STAFF = {
    Direction.DEPOSIT: Message("From the customer: {items}"),
    Direction.WITHDRAWAL: Message("To the customer: {items}"),
}


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
    cause, resend = cause_of(trade, explanations), context.resend_of(trade)
    actor = actor_of(trade, status, answer.read_at, explanations=explanations, staff=staff)
    lines = [
        f"{symbol_of(trade)} **{title_of(trade, status, staff=staff)}**",
        _which(trade, staff=staff),
        _items(trade, staff=staff),
        _why(trade, cause, staff=staff),
        _failed_items(trade, explanations, staff=staff),
        _who_undid_it(trade, staff=staff),
        f"**{actor.text}**",
        step_of(trade, status, cause, answer.read_at, staff=staff),
        asked_line(resend, staff=staff, longest=_LONGEST_REASON) if resend is not None else "",
        resending(trade, cause) if resend is None or not resend.state.is_open else "",
        money_of(trade),
        *(_to_compare(trade, answer, staff=staff) if staff or trade.state in WAITS else ()),
        *(_for_staff(trade, cause, answer, context.member_of(trade)) if staff else ()),
    ]
    return "\n".join(filter(None, lines))


def _which(trade: Trade, *, staff: bool) -> str:
    facts = [which_of(trade, code(trade.id, 48), staff=staff)]
    if trade.shop_reference:
        facts.append(t("Order: {order}", order=code(trade.shop_reference, 132)))
    if trade.created_at is not None:
        # Translators: when a trade was made; {when} reads "5 minutes ago".
        facts.append(t("Made: {when}", when=relative(trade.created_at)))
    return " · ".join(facts)


def _items(trade: Trade, *, staff: bool) -> str:
    """Return the first items by name, or how many there are, and the direction in which they move."""
    if not trade.items:
        return t("No items") if trade.direction is Direction.NOTHING else ""
    named = [item for item in trade.items if item.name][:_NAMES_SHOWN]
    names = [f"{'❌ ' if has_failed(item) else ''}{outside(item.name, _LONGEST_NAME)}" for item in named]
    left = len(trade.items) - len(named)
    if not named:
        items = tn("{count} item", "{count} items", len(trade.items))
    elif left:
        # Translators: the last one of a list: "AK-47, M4A4, and 2 more".
        items = listed([*names, t("{more} more", more=number(left))])
    else:
        items = listed(names)
    whom = (_ITEMS_FOR_STAFF if staff else _ITEMS_FOR_CUSTOMERS).get(trade.direction)
    facts = [items if whom is None else whom(items=items)]
    if not named and trade.game is not None:
        facts.append(trade.game.label)
    return " · ".join(facts)


def _why(trade: Trade, cause: Explanation | None, *, staff: bool) -> str:
    """Return why a trade failed, if its last error says it."""
    if trade.state not in NOT_MADE or not trade.last_error:
        return ""
    if cause is not None:
        reason = " · ".join(filter(None, [cause.title, error_name(cause) if staff else ""]))
        return t("**Why it failed:** {reason}", reason=reason)
    if staff:
        return ""
    return t(
        "**Why it failed:** {provider} gave a reason that only the staff can see. Send them the number of this trade.",
        provider=family_of(trade.provider),
    )


def _failed_items(trade: Trade, explanations: Explanations, *, staff: bool) -> str:
    """Return how many items failed and why, unless the trade's own error says it of all of them."""
    failed = [item for item in trade.items if has_failed(item)]
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
    facts = [
        t("**Failed items: {failed} of {total}**", failed=number(len(failed)), total=number(len(trade.items))),
        *reasons[:_CAUSES_SHOWN],
        *([t("Other reasons too")] if len(reasons) > _CAUSES_SHOWN else []),
    ]
    return " · ".join(facts)


def _who_undid_it(trade: Trade, *, staff: bool) -> str:
    by, provider = undone_by(trade), family_of(trade.provider)
    if by == "user" and staff:
        return t("**Who reversed it:** the customer, from their Steam account")
    if by == "user":
        return t("**Who reversed it:** you, from your Steam account")
    if by == "supplier" and staff:
        return t("**Who reversed it:** the supplier of {provider}", provider=provider)
    if by == "supplier":
        return t("**Who reversed it:** the supplier of {provider}. You did not cause it.", provider=provider)
    return t("**Who reversed it:** {name}", name=code(trade.reverted_by, 24)) if staff and by else ""


def _to_compare(trade: Trade, answer: TradesAnswer, *, staff: bool) -> Iterator[str]:
    """Yield the facts to compare in Steam: the bot, the offer and its end, and for its owner the code."""
    waits = trade.state in WAITS
    bot = [f"**{outside(trade.bot_name, 24)}**"] if trade.bot_name else []
    bot += [f"`{trade.bot}`"] if trade.bot is not None else []
    facts = [t("Bot: {bot}", bot=" ".join(bot))] if bot else []
    if trade.offer_id:
        offer = [t("Offer: {offer}", offer=code(trade.offer_id, 24))]
        if not staff and (url := offer_url(trade.offer_id)) is not None:
            offer.append(t("[open it in Steam]({url})", url=url))
        facts.append(" · ".join(offer))
    yield (" · " if staff else "\n").join(facts)
    if waits and trade.expires_at is not None:
        when = relative(trade.expires_at)
        is_over = trade.expires_at <= answer.read_at
        yield t("The offer has expired: {when}", when=when) if is_over else t("The offer expires: {when}", when=when)
    if not waits or trade.provider is not ProviderName.MANNCO:
        return
    is_own = trade.owner is not None and trade.owner == answer.viewer
    if trade.code is not None:
        yield t("**Your code: {code}**", code=code(trade.code.reveal(), 24))
    elif is_own and answer.codes_from is not None:
        yield t(
            "**Your code is shown later ({when}).** You or this Steam account had another link not long ago. To see "
            "the code at once, use `/link start`: signing in through Steam proves that the account is yours.",
            when=relative(answer.codes_from),
        )
    elif is_own and trade.offer_id:  # codes are only in memory, for a short time
        yield t("**Your code is no longer here.** Use `/trades` again to see it, if there is one.")


def _for_staff(trade: Trade, cause: Explanation | None, answer: TradesAnswer, member: int | None) -> Iterator[str]:
    """Yield whose it is, and the raw facts."""
    whose = [] if member is None else [f"<@{member}>"]
    facts = [t("Status: {status}", status=code(trade.status, 40))]
    if trade.owner is None:
        facts.append(t("{provider} named no account", provider=trade.provider.label))
    elif answer.steam_id is None or whose:
        facts.append(t("Customer: {customer}", customer=" ".join([*whose, f"`{trade.owner}`"])))
    if trade.merchant_amount is not None:
        # Translators: what the shop gets or pays for the items.
        facts.append(t("The shop's amount: {amount}", amount=money(trade.merchant_amount)))
    yield " · ".join(facts)
    assets = [item.asset_id for item in trade.items if item.asset_id and not item.name]
    if assets:
        left = len(assets) - _ASSETS_SHOWN
        shown = " ".join(code(asset_id, 20) for asset_id in assets[:_ASSETS_SHOWN])
        if left > 0:
            # Translators: {assets} are Steam's numbers of items, which it calls assets.
            yield t("Assets: {assets} and {more} more", assets=shown, more=number(left))
        else:
            yield t("Assets: {assets}", assets=shown)
    if trade.last_error and (cause is None or cause.key != trade.last_error.strip()):
        yield t("Last error: {error}", error=outside(without_markup(trade.last_error), 120))
