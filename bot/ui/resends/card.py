"""The approval card, and the texts about a resend's state and outcome."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import discord

from bot.domain.errors import AlreadyDecided, CardReplaced
from bot.domain.resends import ALARM, Outcome, Resend, ResendState, change_in
from bot.domain.secrets import TradeCode
from bot.ports import Explanations
from bot.ui.kit.layout import Field, Tone, card, fit
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, moment, outside, relative
from bot.ui.resends.facts import (
    asker_field,
    bot_field,
    item_fields,
    last_error_fields,
    owner_field,
    then_and_now,
    trade_field,
)


@dataclass(frozen=True, slots=True)
class _StateText:
    """A state's symbol and sentence; ``advice`` for the owner, and for a requester of the staff if it differs."""

    symbol: str
    sentence: str
    advice: str = ""
    tone: Tone = Tone.WAITING
    for_staff: str = ""


_SEE_TRADES = "`/trades scope:all` shows where the trade stands now."
_PEOPLE_HEAR = "SkinDesk tells requester and owner. If it cannot, the card says so."
_SETTLE = (
    "If it stays unclear, look for the offer in Mannco.store's dashboard, then press *Mark as sent* or "
    "*Mark as failed* on the card."
)
_STATES = {
    ResendState.PENDING: _StateText("⏳", "waiting for a moderator."),
    ResendState.APPROVED: _StateText("📨", "about to be sent."),
    ResendState.SENDING: _StateText("📨", "being sent now."),
    ResendState.SENT: _StateText(
        "✅",
        "sent.",
        "Accept the new offer in Steam only if its bot and code are those that `/trades` shows.",
        Tone.GOOD,
        "The customer may accept the new offer in Steam only if its bot and code are those in their own `/trades`.",
    ),
    ResendState.FAILED: _StateText("❌", "failed, nothing was sent.", _SEE_TRADES, Tone.BAD),
    ResendState.UNKNOWN: _StateText(
        "❓",
        "outcome unknown: it may have been sent.",
        "Do not ask for it again meanwhile: the requester will hear as soon as it is clear.",
        Tone.BAD,
    ),
    ResendState.DENIED: _StateText(
        "⛔", "denied.", "Questions about it: ask the staff, with the trade's number.", Tone.NEUTRAL
    ),
    ResendState.EXPIRED: _StateText(
        "⌛",
        "expired, no one decided in time.",
        "If the trade still needs it, ask again with `/resend`.",
        Tone.NEUTRAL,
    ),
    ResendState.CANCELLED: _StateText("⛔", "cancelled.", _SEE_TRADES, Tone.NEUTRAL),
}
_OUTCOMES = {
    Outcome.CONFIRMED: "Mannco.store confirmed the resend. A new offer with the same items follows in Steam.",
    Outcome.REFUSED: "Mannco.store refused the resend.",
    Outcome.PARAMETER: (
        "Mannco.store misses a parameter: the setting `resend_parameter` does not fit its version. "
        "An administrator has to change it; nothing was sent."
    ),
    Outcome.CREDENTIALS: (
        "Mannco.store refused the desk's login; nothing was sent. A login by API key is renewed for the next time. "
        "Ask for the resend again."
    ),
    Outcome.NOT_REACHED: "Mannco.store could not be asked, and nothing was sent. Ask for the resend again later.",
    Outcome.ANSWER_LOST: "Mannco.store gave no clear answer. SkinDesk keeps reading the trade to find out.",
    Outcome.OTHER_TRADE: (
        "**Mannco.store answered about another trade.** Check both trades in its dashboard before anything else."
    ),
    Outcome.INTERRUPTED: "SkinDesk stopped before the answer came. It keeps reading the trade to find out.",
    Outcome.RESTORED: (
        "An earlier state of SkinDesk's database was restored, and this may have been sent since that was saved. "
        "SkinDesk keeps reading the trade to find out."
    ),
    Outcome.READ_BACK: "Reading the trade again showed that it was sent.",
    Outcome.MARKED: "Settled by hand.",
}
_OUTCOMES_IN_MESSAGES = _OUTCOMES | {
    Outcome.PARAMETER: "The desk is not set up right for this, and nothing was sent. The staff has to mend that first.",
    Outcome.CREDENTIALS: "Mannco.store did not let the desk in, and nothing was sent. Ask for the resend again.",
    Outcome.OTHER_TRADE: "Mannco.store's answer was not about this trade alone. The staff has to check it.",
    Outcome.RESTORED: "SkinDesk cannot tell yet whether this was sent. It keeps reading the trade to find out.",
}
"""For requester and owner, who may be customers: no settings, keys or dashboards."""
_DETAILS = {
    "card_not_posted": "The card could not be posted.",
    "no_longer_resendable": "The trade can no longer be resent.",
    "server_not_served": "SkinDesk no longer served this server.",
}
_NOTES = {
    "restarted": "SkinDesk was restarted after an approval and before sending. Nothing was sent; decide again.",
    "paused": "Resends were stopped after an approval and before sending. Nothing was sent; decide again.",
    "requester_not_told": "The requester could not be told by direct message.",
    "telling_in_doubt": (
        "SkinDesk stopped while it told requester and owner how this ended. They may not know it, and it is not told "
        "twice: `/trades` shows them."
    ),
    "owner_not_told": "The trade's owner could not be told by direct message. `/trades` shows them what they need.",
}
RESUME = "A member with `settings.manage` can resume them: `/approvals`, *Resume resends*."

FACT_LABELS = {
    "status": "status",
    "items_send": "items to send",
    "items_received": "items to receive",
    "offer_id": "Steam offer",
    "last_error": "last error",
    "code_digest": "verification code",
}


def state_sentence(resend: Resend) -> str:
    """Return the state, and who decided and settled it when."""
    sentence = _STATES[resend.state].sentence
    if resend.decided_by is not None and resend.decided_at is not None:
        by = by_whom(resend.decided_by, resend.decided_at)
        decision = "Returned" if resend.state is ResendState.PENDING else "Approved"
        sentence = f"denied {by}" if resend.state is ResendState.DENIED else f"{sentence} {decision} {by}"
    if resend.settled_by is None or resend.settled_at is None:
        return sentence
    if resend.is_withdrawn:
        return f"withdrawn {by_whom(resend.settled_by, resend.settled_at)}"
    return f"{sentence} Marked {by_whom(resend.settled_by, resend.settled_at)}"


def outcome_sentences(resend: Resend, texts: Mapping[Outcome, str] = _OUTCOMES) -> list[str]:
    """Return how a request ended and why, without the provider's own words."""
    lines = []
    if resend.outcome is not None:
        lines.append(texts[resend.outcome])
    if resend.outcome is Outcome.MARKED and resend.outcome_detail:
        lines.append(f"Reason: {outside(resend.outcome_detail, 300)}")
    if resend.decision_reason and not resend.is_withdrawn:
        lines.append(_DETAILS.get(resend.decision_reason) or f"Reason: {outside(resend.decision_reason, 300)}")
    notes = (note for note in resend.notes if note != ALARM and change_in(note) is None)
    return [*lines, *(_NOTES.get(note) or outside(note, 200) for note in notes)]


def change_sentences(resend: Resend, explanations: Explanations) -> list[str]:
    """Return the facts that the last change of the trade replaced."""
    changes = [change for note in resend.notes if (change := change_in(note)) is not None]
    return [_was(name, before, resend, explanations) for name, before in changes[-1].items()] if changes else []


def _was(name: str, before: int | str | None, resend: Resend, explanations: Explanations) -> str:
    label = capitalised(FACT_LABELS[name])
    match name:
        case "status":
            was = f"{explanations.status(resend.provider.dialect, str(before)).title} ({code(str(before), 8)})"
        case "items_send" | "items_received":
            was = str(before) if before != len(getattr(resend.facts, name)) else f"{before}, but others"
        case "offer_id":
            was = code(str(before), 32) if before else "none"
        case "last_error":
            was = outside(without_markup(str(before)), 200) if before else "none"
        case _:
            return f"{label}: it is a new one"
    return f"{label}: was {was}"


def by_whom(user_id: int, at: datetime) -> str:
    """Return who did something and when, as the end of a sentence."""
    return f"by <@{user_id}> {relative(at)} ({moment(at)})."


_WHY = 160
"""UTF-16 units of the reason why an earlier request ended so."""

_VERSION = re.compile(r"Request (?P<id>\d{1,18}) · version (?P<version>\d{1,9})\b", re.ASCII)
"""The version in the footer. A click brings its message with it, so the custom ids need not have it."""


def resend_card(resend: Resend, explanations: Explanations) -> discord.Embed:
    """Return the card for the approvals channel: what decides first, every fact of the trade, but never its code."""
    earlier, of_customer = (resend.context.earlier, resend.context.of_customer) if resend.context else ((), ())
    if resend.state.is_open:
        fields = [
            *_change_fields(resend, explanations),
            *last_error_fields(resend, explanations),
            *_history_fields("Earlier requests for this trade", earlier),
            owner_field(resend),
            asker_field(resend),
            trade_field(resend, explanations),
            *item_fields(resend),
            bot_field(resend),
            *_history_fields("Other trades of this account", of_customer, names_trade=True),
        ]
    else:
        fields = [
            owner_field(resend),
            asker_field(resend),
            trade_field(resend, explanations),
            *then_and_now(resend, explanations),
            *item_fields(resend),
            bot_field(resend),
        ]
    footer = ""
    if resend.state is ResendState.PENDING:
        footer = f"Request {resend.id} · version {resend.version}"
        footer += " · Approving sends the offer once. Look at status and last error first."
    return card(
        title=_title(resend),
        description="\n".join(_lines(resend)),
        fields=fields,
        colour=_STATES[resend.state].tone,
        footer=footer,
    )


def _lines(resend: Resend) -> list[str]:
    """Return the state of the request."""
    lines = []
    if ALARM in resend.notes:
        lines.append(f"🚨 **ALARM: the answer was about another trade. All resends here were stopped.** {RESUME}")
    is_reminder = resend.state is ResendState.PENDING and resend.reminded_at is not None
    if is_reminder:
        lines.append(f"**Still waiting: expires {relative(resend.expires_at)}.**")
    if not is_reminder or resend.decided_by is not None:
        lines.append(f"**{capitalised(state_sentence(resend))}**")
    if resend.state is ResendState.PENDING and not is_reminder:
        lines.append(f"Expires {relative(resend.expires_at)}.")
    if resend.taken_by is not None and resend.taken_at is not None:
        lines.append(f"👀 {taken_sentence(resend)} Others may still decide.")
    lines += outcome_sentences(resend)
    if resend.outcome_detail and resend.outcome is Outcome.OTHER_TRADE:
        lines.append(f"The answer named trade {code(resend.outcome_detail, 24)}.")
    elif resend.outcome_detail and resend.outcome is not Outcome.MARKED:
        lines.append(f"Details: {outside(resend.outcome_detail, 300)}")
    return lines


def taken_sentence(resend: Resend) -> str:
    """Return who looks at the request since when."""
    if resend.taken_by is None or resend.taken_at is None:
        return "No one is on it now."
    return f"<@{resend.taken_by}> is on it since {relative(resend.taken_at)}."


def _change_fields(resend: Resend, explanations: Explanations) -> list[Field]:
    changes = change_sentences(resend, explanations) if resend.state is ResendState.PENDING else []
    return [Field("⚠️ Changed before it could be approved", "\n".join(changes))] if changes else []


def _history_fields(name: str, ended: tuple[Resend, ...], *, names_trade: bool = False) -> list[Field]:
    """Return how earlier requests ended, the newest first."""
    lines = [_history_line(each, names_trade=names_trade) for each in ended]
    return [Field(name, "\n".join(lines))] if lines else []


def _history_line(ended: Resend, *, names_trade: bool) -> str:
    """Return how an earlier request ended, by whom and why, in one line."""
    trade = f" · trade #{ended.trade_id}" if names_trade else ""
    state = "withdrawn" if ended.is_withdrawn else ended.state.value
    when = f" {relative(ended.settled_at)}" if ended.settled_at is not None else ""
    by = f" by <@{ended.decided_by}>" if ended.state is ResendState.DENIED else ""
    why = outcome_sentences(ended)[:1] if ended.state in (ResendState.DENIED, ResendState.FAILED) else []
    return " ".join([f"**Resend {ended.id}**{trade} · {state}{when}{by}.", *(fit(text, _WHY) for text in why)])


def link_to_card(resend: Resend) -> str | None:
    """Return the address of the request's card."""
    if resend.message_id is None:
        return None
    return f"https://discord.com/channels/{resend.guild_id}/{resend.channel_id}/{resend.message_id}"


def late_card(late: CardReplaced | AlreadyDecided, explanations: Explanations) -> discord.Embed:
    """Return what a pressed message shows instead of its buttons, which are of no use any more."""
    if isinstance(late, AlreadyDecided):
        return resend_card(late.resend, explanations)
    link = link_to_card(late.resend)
    return card(
        title=f"↪️ Resend {late.resend.id} · this card was replaced",
        description=f"The request is on [its newest card]({link})."
        if link
        else "`/approvals` lists the open requests.",
        colour=Tone.NEUTRAL,
    )


def version_on(message: discord.Message | None, resend_id: int) -> int | None:
    """Return the version that a message shows of a request; None if its embed is hidden or shows another request."""
    if message is None or message.flags.suppress_embeds:
        return None
    for embed in message.embeds:
        found = _VERSION.search(embed.footer.text or "")
        if found is not None and int(found["id"]) == resend_id:
            return int(found["version"])
    return None


def outcome_embed(resend: Resend, *, reader: int, code: TradeCode | None) -> discord.Embed:
    """Return the message to requester or owner. Give the ``code`` only for the owner's direct message."""
    lines = [f"The resend of trade #{resend.trade_id}: {state_sentence(resend)}"]
    lines += outcome_sentences(resend, _OUTCOMES_IN_MESSAGES)
    text, is_for_another = _STATES[resend.state], reader == resend.requested_by != resend.owner_user_id
    lines += filter(None, [(is_for_another and text.for_staff) or text.advice])
    if code is not None:
        lines.append(f"Your new code: `{code.reveal()}`. The staff never asks you for it.")
    return card(title=_title(resend), description="\n".join(lines), colour=_STATES[resend.state].tone)


def decision_embed(resend: Resend) -> discord.Embed:
    """Return the answer to the moderator who decided."""
    lines = [f"The resend of trade #{resend.trade_id}: {state_sentence(resend)}", *outcome_sentences(resend)]
    lines.append(_SETTLE if resend.state is ResendState.UNKNOWN else _PEOPLE_HEAR)
    return card(title=_title(resend), description="\n".join(lines), colour=_STATES[resend.state].tone)


def _title(resend: Resend) -> str:
    return f"{_STATES[resend.state].symbol} Resend {resend.id} · {resend.state.value}"


def capitalised(sentence: str) -> str:
    """Return a sentence with a capital letter first, and nothing else changed."""
    return sentence[:1].upper() + sentence[1:]
