"""One page of trades: their status, who acts next, and the facts to compare before accepting an offer."""

import re

import discord

from bot.domain.errors import TradeNotFound
from bot.domain.failures import Explanation, Fixer, Repeat, StatusExplanation
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience, TradesAnswer, TradesPart
from bot.domain.trades import WINDOW, Direction, KeyLimit, Scope, Trade, TradeState
from bot.ports import Explanations
from bot.ui.errors import NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.explain import error_name
from bot.ui.kit.layout import Field, Page, Tone, card
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, count, outside, relative

TRADES_A_PAGE = 5

_ASSETS_SHOWN = 2
_OFFER_ID = re.compile(r"[0-9]{1,20}", re.ASCII)

_BEFORE_RESEND = {
    Repeat.AFTER_FIX: "After that, ",
    Repeat.LATER: "After that, ",
    Repeat.NEVER: "The same offer would most likely fail again. ",
}
_ACTORS_FOR_CUSTOMERS = {
    Fixer.CUSTOMER: "You act next",
    Fixer.AGENT: "The staff acts next",
    Fixer.ADMINISTRATOR: "The staff acts next",
    Fixer.PROVIDER: "Mannco.store acts next",
    Fixer.TIME: "It goes on by itself",
}
_ACTORS_FOR_STAFF = _ACTORS_FOR_CUSTOMERS | {
    Fixer.CUSTOMER: "The customer acts next",
    Fixer.AGENT: "You act next",
    Fixer.ADMINISTRATOR: "An administrator acts next",
}

_WARNING_FOR_CUSTOMERS = Field(
    "⚠️ Before you accept an offer",
    (
        "Look at it in Steam's own page or app: the bot, the items and the code there have to be the same as here. "
        "If one of them differs, do not accept, and tell the staff. **The staff never asks for your code, "
        "your password or a Steam Guard code, or for items to be sent somewhere “safe”.**"
    ),
)
_WARNING_FOR_STAFF = Field(
    "⚠️ While an offer waits",
    (
        "Have the customer compare bot, items and code in Steam's own page with their own `/trades`. "
        "Never ask for the code: only its owner is shown it."
    ),
)

_KEY_FOR_CUSTOMERS = "This desk can only see the trades of the shop's own account at Mannco.store"
_ASK_STAFF = "Ask the staff: they can look at Mannco.store."
_KEY_STEP = (
    "Look in Mannco's dashboard. An administrator of this desk can change that: with the key of a Mannco.store "
    "administrator and the setting `providers.mannco.per_user_paths = true`, SkinDesk asks for each account's trades."
)


def _key_step(limit: KeyLimit) -> str:
    if limit.per_account:
        return (
            "`/trades` with `member` or `steam_id` reads that account's trades; after that, `/resend` finds them too."
        )
    return _KEY_STEP


def _key_sees(limit: KeyLimit) -> str:
    """Return for staff what this desk's key sees."""
    if limit.sees_only is None:
        return "Mannco.store lists no trade for this desk's key, and the key does not say which account's it sees"
    if limit.per_account:
        return (
            f"Unless an account is named, this desk's key at Mannco.store sees only the trades of `{limit.sees_only}`"
        )
    return f"This desk's key at Mannco.store sees only the trades of one account, `{limit.sees_only}`"


def _not_found(error: TradeNotFound, audience: Audience) -> ErrorMessage:
    trade = f"trade {code(mask_trade_urls(error.trade_id), 40)}"
    if error.limit is None:
        what = f"There is no {trade} among the trades you can ask for."
        step = "Check the number: `/trades scope:all` shows it. Only the newest 500 trades are listed."
        again = "With the right number."
    elif audience is Audience.STAFF:
        what, step, again = (
            f"{_key_sees(error.limit)}, and {trade} is not among them.",
            _key_step(error.limit),
            NOT_AGAIN,
        )
    else:
        what = f"{_KEY_FOR_CUSTOMERS}, so it cannot tell whether {trade} is yours."
        step, again = _ASK_STAFF, NOT_AGAIN
    if error.left_out:
        what += f" {_unread(error.left_out)}"
    return ErrorMessage("No such trade" if error.limit is None else "Trade not visible", what, step, again=again)


def _unread(left_out: int) -> str:
    return f"{count(left_out, 'trade')} could not be read and {'is' if left_out == 1 else 'are'} left out."


register_messages({TradeNotFound: _not_found})


def trades_page(
    answer: TradesAnswer, page: Page[Trade], *, audience: Audience, explanations: Explanations
) -> discord.Embed:
    """Return a page of the answer's trades, newest first."""
    staff = audience is Audience.STAFF
    shown = page.items
    statuses = [explanations.status(trade.provider.dialect, trade.status, kind=trade.status_kind) for trade in shown]
    blocks = [
        _trade_block(trade, status, _cause(trade, explanations), answer, staff=staff)
        for trade, status in zip(shown, statuses, strict=True)
    ]
    # The status of a resent trade is not documented: any trade that is not final may wait for its owner.
    waits = any(not status.is_final for status in statuses)
    warning = _WARNING_FOR_STAFF if staff else _WARNING_FOR_CUSTOMERS
    return card(
        title="Trades",
        description="\n\n".join(["\n".join(_head(answer, staff=staff)), *(blocks or [_nothing(answer, staff=staff)])]),
        fields=[warning] if waits else [],
        colour=Tone.WAITING if waits else Tone.NEUTRAL,
        footer=f"Page {page.index + 1} of {page.count}",
    )


def _is_own(answer: TradesAnswer) -> bool:
    return answer.steam_id is not None and answer.steam_id == answer.viewer


def _head(answer: TradesAnswer, *, staff: bool) -> list[str]:
    what = "active trade" if answer.scope is Scope.ACTIVE else "trade"
    whose = "everyone's" if answer.steam_id is None else f"SteamID `{answer.steam_id}`"
    if _is_own(answer):
        whose = "your own"
    # "0 trades" would say that there are none.
    is_certain = all(part.limit is None and not part.unread for part in answer.parts)
    shown = count(len(answer.trades), what) if answer.trades or is_certain else f"No {what} visible"
    lines = [f"**{shown}** · {whose} · read {relative(answer.read_at)}"]
    for part in answer.parts:
        lines += _said(part, answer, staff=staff)
    return lines


def _said(part: TradesPart, answer: TradesAnswer, *, staff: bool) -> list[str]:
    lines = []
    if part.is_full:
        together = "" if part.of_account_alone else ", of all customers together"
        lines.append(
            f"Mannco.store lists the newest {WINDOW} trades only{together}. "
            "An older one may exist all the same: the staff finds it in Mannco's dashboard."
        )
    if part.unread:
        places = f" The first: {code(part.unread[0].place, 60)}." if staff else ""
        lines.append(f"⚠️ {_unread(len(part.unread))}{places}")
    if part.limit is not None and answer.trades:
        lines.append(f"{_key_sees(part.limit)}. Others may exist all the same. {_key_step(part.limit)}")
    return lines


def _cause(trade: Trade, explanations: Explanations) -> Explanation | None:
    """Return the meaning of a failed trade's last error, if it is one of Steam's."""
    if not _has_failed(trade) or not trade.last_error:
        return None
    return explanations.trade_error(trade.provider.dialect, trade.last_error)


def _trade_block(
    trade: Trade, status: StatusExplanation, cause: Explanation | None, answer: TradesAnswer, *, staff: bool
) -> str:
    title = status.title if staff else status.customer_title or status.title
    shown = cause or status
    step = shown.agent if staff else shown.customer
    if staff and cause is None and _has_failed(trade) and trade.last_error:
        step = f"The last error says why. {step}"
    if trade.lacks_offer:
        title, step = "The offer is being made", "Mannco.store names no offer yet: look again in a few minutes."
    lines = [
        f"{_symbol(trade, status)} **#{trade.id} · {title}**",
        _facts(trade, staff=staff),
        _why(trade, cause, staff=staff),
        f"**{_who_acts(trade, status, staff=staff)}.** {step}",
    ]
    if (after := _resending(trade, cause, staff=staff)) is not None:
        lines.append(after)
    if not status.is_final or staff:
        lines.append(_to_compare(trade, answer, waits=not status.is_final, staff=staff))
    if staff:
        lines.append(_for_staff(trade, named=answer.steam_id is not None))
    return "\n".join(filter(None, lines))


def _symbol(trade: Trade, status: StatusExplanation) -> str:
    if not status.known:
        return "❔"
    if not status.is_final:
        return "⏳"
    if trade.state is TradeState.COMPLETED:
        return "✅"
    return "❌" if _has_failed(trade) else "↩️"


def _has_failed(trade: Trade) -> bool:
    """Return whether the status is that of a failed or cancelled trade, in either direction."""
    return trade.state is TradeState.FAILED


def _facts(trade: Trade, *, staff: bool) -> str:
    pieces = count(len(trade.items or trade.from_customer), "item")
    whom = "the customer" if staff else "you"
    facts = [
        {
            Direction.WITHDRAWAL: f"Withdrawal · {pieces} to {whom}",
            Direction.DEPOSIT: f"Deposit · {pieces} from {whom}",
            Direction.NOTHING: "No items",
        }[trade.direction]
    ]
    if trade.game is not None:
        facts.append(trade.game.label)
    if trade.created_at is not None:
        facts.append(f"made {relative(trade.created_at)}")
    return " · ".join(facts)


def _why(trade: Trade, cause: Explanation | None, *, staff: bool) -> str:
    """Return why a trade failed, if its last error says it."""
    if not _has_failed(trade) or not trade.last_error:
        return ""
    if cause is not None:
        return f"**Why it failed:** {cause.title}" + (f" · {error_name(cause)}" if staff else "")
    if staff:
        return ""
    return (
        f"**Why it failed:** {trade.provider.label} gave the staff a reason. Ask them, with the number of this trade."
    )


def _who_acts(trade: Trade, status: StatusExplanation, *, staff: bool) -> str:
    if trade.state is TradeState.COMPLETED:
        return "No one has to act"
    if trade.lacks_offer:
        return "Mannco.store acts next"
    if trade.not_resendable is None:
        return "You or the customer act next" if staff else "You or the staff act next"
    if _has_failed(trade):
        return "The customer acts next" if staff else "You act next"
    return (_ACTORS_FOR_STAFF if staff else _ACTORS_FOR_CUSTOMERS)[status.fixer]


def _resending(trade: Trade, cause: Explanation | None, *, staff: bool) -> str | None:
    """Return whether and how a failed or cancelled trade can be resent."""
    if not _has_failed(trade):
        return None
    if trade.not_resendable is None:
        before = "" if cause is None else _BEFORE_RESEND.get(cause.repeat, "")
        return f"{before}`/resend id:{trade.id}` asks a moderator to have the offer sent again."
    if trade.direction is Direction.NOTHING:
        return "A trade without items cannot be resent."
    return f"A deposit cannot be resent: {'have the customer start' if staff else 'start'} it again on the site."


def _to_compare(trade: Trade, answer: TradesAnswer, *, waits: bool, staff: bool) -> str:
    """Return the facts to compare in Steam: the bot, the offer, and for its owner the code."""
    is_own = trade.owner == answer.viewer
    bot = f"`{trade.bot}`" if trade.bot is not None else "not named"
    offer = code(trade.offer_id, 24) if trade.offer_id else "none yet"
    if staff:
        lines = [f"Bot {bot} · offer {offer}"]
    elif _OFFER_ID.fullmatch(trade.offer_id):
        address = f"https://steamcommunity.com/tradeoffer/{trade.offer_id}/"
        lines = [f"Bot {bot}", f"Offer {offer} · [open it in Steam]({address})"]
    else:
        lines = [f"Bot {bot}", f"Offer {offer}"]
    if waits and trade.code is not None:
        lines.append(f"**Your code: {code(trade.code.reveal(), 24)}**")
    elif waits and is_own and answer.codes_from is not None:
        lines.append(
            f"**Your code is shown {relative(answer.codes_from)}:** you or this Steam account were linked differently "
            "not long ago. `/link start` shows it at once: signing in at Steam proves that the account is yours."
        )
    elif waits and is_own and trade.offer_id:  # codes are only in memory, for a short time
        lines.append("**Your code is no longer here:** `/trades`, used again, shows it where there is one.")
    return "\n".join(lines)


def _for_staff(trade: Trade, *, named: bool) -> str:
    """Return the raw facts."""
    lines = [f"Status {code(trade.status, 12)}" + ("" if named else f" · customer `{trade.owner}`")]
    assets = [item.asset_id for item in trade.items or trade.from_customer]
    if assets:
        left = len(assets) - _ASSETS_SHOWN
        shown = " ".join(code(asset_id, 20) for asset_id in assets[:_ASSETS_SHOWN])
        lines.append(f"Assets {shown}{f' and {left:,} more' if left > 0 else ''}")
    if trade.last_error:
        lines.append(f"Last error: {outside(without_markup(trade.last_error), 150)}")
    return "\n".join(lines)


def _nothing(answer: TradesAnswer, *, staff: bool) -> str:
    """Return the text for an empty list."""
    part = next(iter(answer.parts), None)
    if part is not None and part.limit is not None:
        return _not_visible(answer, part.limit, staff=staff)
    is_whose = "is yours" if _is_own(answer) else "is this account's"
    if part is not None and part.unread:
        return "No other is listed." if answer.steam_id is None else f"None of the others {is_whose}."
    if answer.scope is Scope.ACTIVE:
        whose = "of yours " if _is_own(answer) else "" if answer.steam_id is None else "of this account "
        return (
            f"No trade {whose}is waiting for anything at the moment. "
            "`/trades` with `scope:all` shows the finished and failed ones too."
        )
    if part is not None and part.is_full:
        return f"None of the newest {WINDOW} trades {is_whose}."
    if answer.steam_id is None:
        return "Mannco.store has no trade yet."
    return (
        "You have no trade yet. One stands here as soon as you deposit or withdraw items at Mannco.store."
        if _is_own(answer)
        else "This account has no trade. If it should have one, compare the SteamID with the customer's trade URL."
    )


def _not_visible(answer: TradesAnswer, limit: KeyLimit, *, staff: bool) -> str:
    if not staff:
        return f"{_KEY_FOR_CUSTOMERS}, so it cannot tell whether you have one. {_ASK_STAFF}"
    whether = "there are others" if answer.steam_id is None else "this account has one"
    return f"{_key_sees(limit)}, so SkinDesk cannot tell whether {whether}. {_key_step(limit)}"
