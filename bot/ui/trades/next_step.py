"""Who acts next on a trade, and what the reader does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.failures import Explanation, Fixer, ProviderName, Repeat, StatusExplanation
from bot.domain.trades import Direction, Trade, TradeState
from bot.languages import Message, paragraph, t
from bot.ports import Explanations
from bot.ui.kit.text import day, relative
from bot.ui.trades.facts import NOT_MADE, cause_of, family_of, is_partial, undone_by

_OVERDUE = timedelta(days=2)
"""After the end of a hold: a short settlement follows it, and estimates are good to the day."""


class NextActor(NamedTuple):
    """Who acts next, in words, and whether it is the reader."""

    text: str
    is_reader: bool = False


_YOU = Message("You act next")
_STAFF = Message("The staff acts next")
# Translators: the trade goes on, and no one has to act.
_BY_ITSELF = Message("It goes on by itself")
_ACTORS_FOR_CUSTOMERS = {
    Fixer.CUSTOMER: _YOU,
    Fixer.AGENT: _STAFF,
    Fixer.ADMINISTRATOR: _STAFF,
    Fixer.TIME: _BY_ITSELF,
}
_ACTORS_FOR_STAFF = {
    Fixer.CUSTOMER: Message("The customer acts next"),
    Fixer.AGENT: _YOU,
    Fixer.ADMINISTRATOR: Message("An administrator acts next"),
    Fixer.TIME: _BY_ITSELF,
}


def actor_of(
    trade: Trade, status: StatusExplanation, read_at: datetime, *, explanations: Explanations, staff: bool
) -> NextActor:
    """Return who acts next, or that it goes on by itself."""
    actors = _ACTORS_FOR_STAFF if staff else _ACTORS_FOR_CUSTOMERS
    fixer = status.fixer
    if trade.state is TradeState.HELD and trade.hold_ends is not None:
        return NextActor(_completes(trade, trade.hold_ends, read_at))
    if trade.state is TradeState.COMPLETED and not is_partial(trade):
        # Translators: "it" is a deposit.
        credited = t("The shop credits it")
        return NextActor(credited if trade.provider is ProviderName.SKINSBACK else t("No one has to act"))
    if trade.not_resendable is None:
        text = t("You or the customer act next") if staff else t("You or the staff act next")
        return NextActor(text, is_reader=True)
    if trade.state is TradeState.PREPARED and trade.direction is Direction.WITHDRAWAL and trade.status == "initiated":
        return NextActor(t("The shop acts next"))  # AssetPay asks the merchant's server for approval (trades.md, 1.6)
    if trade.lacks_offer or fixer is Fixer.PROVIDER:
        return NextActor(t("{provider} acts next", provider=family_of(trade.provider)))
    if trade.state is TradeState.FAILED:
        cause = cause_of(trade, explanations)  # not looked for earlier: it takes longest of all
        of_staff = cause is not None and cause.fixer in (Fixer.AGENT, Fixer.ADMINISTRATOR)
        fixer = cause.fixer if cause is not None and of_staff else Fixer.CUSTOMER
    elif is_partial(trade) or undone_by(trade) == "user":
        fixer = Fixer.AGENT if staff else Fixer.CUSTOMER
    return NextActor(actors[fixer](), is_reader=actors[fixer] is _YOU)


def _completes(trade: Trade, ends: datetime, read_at: datetime) -> str:
    """Return when a trade on hold completes: an estimate is good to the day."""
    if read_at - ends >= _OVERDUE:
        if trade.hold_end_is_estimate:
            return t("It should be completed by now (estimated end of the protection: {day})", day=day(ends))
        return t("It should be completed by now (end of the protection: {when})", when=relative(ends))
    if trade.hold_end_is_estimate:
        if ends <= read_at:
            return t("It should complete any day now (estimated end of the protection: {day})", day=day(ends))
        return t("It completes by itself (estimate: {day})", day=day(ends))
    if ends <= read_at:
        return t("It completes by itself soon (end of the protection: {when})", when=relative(ends))
    # Translators: {when} reads "in 3 days".
    return t("It completes by itself ({when})", when=relative(ends))


def step_of(
    trade: Trade, status: StatusExplanation, cause: Explanation | None, read_at: datetime, *, staff: bool
) -> str:
    """Return what the reader does next, in sentences."""
    provider = family_of(trade.provider)
    if trade.state is TradeState.HELD and trade.hold_ends is not None and read_at - trade.hold_ends >= _OVERDUE:
        asking = t("Ask {provider} about it.", provider=provider)
        return asking if staff else t("Send the staff the number of this trade. They can ask.")
    if trade.lacks_offer:
        return t("{provider} shows no Steam offer yet. Look again in a few minutes.", provider=provider)
    if is_partial(trade):
        return _partial(staff=staff)
    if undone_by(trade) == "supplier":
        refund = t("The trade was reversed. Ask the staff about your refund.")
        return t("Check that the customer got a refund.") if staff else refund
    shown = cause or status
    steps = [shown.agent if staff else shown.customer]
    if staff and cause is None and trade.state is TradeState.FAILED and trade.last_error:
        steps.insert(0, t("The last error says why."))
    if trade.state in NOT_MADE and trade.provider is not ProviderName.MANNCO:
        steps.append(t("Trades of {provider} cannot be resent.", provider=provider))
    return paragraph(*steps)


def _partial(*, staff: bool) -> str:
    if staff:
        return t(
            "Settle only the items that went through. The customer can order the others again. Check that they got a "
            "refund for those."
        )
    return t(
        "Some of the items did not go through. Check that you got a refund for them. Order them again if you still "
        "want them."
    )


def resending(trade: Trade, cause: Explanation | None) -> str:
    """Return whether and how a failed trade of Mannco.store can be resent."""
    if trade.state is not TradeState.FAILED or trade.provider is not ProviderName.MANNCO:
        return ""
    if trade.not_resendable is None:
        repeat = None if cause is None else cause.repeat
        if repeat in (Repeat.AFTER_FIX, Repeat.LATER):
            return t("After that, `/resend id:{trade}` asks a moderator to have the offer sent again.", trade=trade.id)
        ask = t("`/resend id:{trade}` asks a moderator to have the offer sent again.", trade=trade.id)
        if repeat is Repeat.NEVER:
            return paragraph(t("The same offer would most likely fail again."), ask)
        return ask
    if trade.direction is Direction.NOTHING:
        return t("A trade without items cannot be resent.")
    return t("A deposit cannot be resent. A new one has to be started in the shop.")
