"""The texts about a resend's state and its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.resends import ALARM, Outcome, Resend, ResendState, change_in
from bot.languages import Message, paragraph, t
from bot.ui.kit.layout import Tone
from bot.ui.kit.text import moment, outside, relative
from bot.ui.resends.usual_reasons import shown_reason


@dataclass(frozen=True, slots=True)
class StateText:
    """A state's symbol, title and sentence; ``advice`` for the owner, ``for_staff`` if it differs for others."""

    symbol: str
    title: Message
    sentence: Message
    advice: Message | None = None
    tone: Tone = Tone.WAITING
    for_staff: Message | None = None


_SEE_TRADES = Message("`/trades scope:all` shows where the trade stands now.")
STATES = {
    ResendState.PENDING: StateText("⏳", Message("Resend {id} · pending"), Message("Waiting for a moderator.")),
    ResendState.APPROVED: StateText("📨", Message("Resend {id} · approved"), Message("About to be sent.")),
    ResendState.SENDING: StateText("📨", Message("Resend {id} · sending"), Message("Being sent now.")),
    ResendState.SENT: StateText(
        "✅",
        Message("Resend {id} · sent"),
        # Translators: the state of a resend
        Message("Sent."),
        Message("Accept the new offer in Steam only if its bot and code are those that `/trades` shows."),
        Tone.GOOD,
        Message(
            "The customer may accept the new offer in Steam only if its bot and code are those in their own `/trades`."
        ),
    ),
    ResendState.FAILED: StateText(
        "❌", Message("Resend {id} · failed"), Message("Failed, nothing was sent."), _SEE_TRADES, Tone.BAD
    ),
    ResendState.UNKNOWN: StateText(
        "❓",
        Message("Resend {id} · unknown"),
        Message("Outcome unknown: it may have been sent."),
        Message("Do not ask for it again for now. You will be told as soon as it is clear."),
        Tone.BAD,
    ),
    ResendState.DENIED: StateText(
        "⛔",
        Message("Resend {id} · denied"),
        # Translators: the state of a resend
        Message("Denied."),
        Message("If you have questions, ask the staff and give them the trade's number."),
        Tone.NEUTRAL,
    ),
    ResendState.EXPIRED: StateText(
        "⌛",
        Message("Resend {id} · expired"),
        Message("Expired, no one decided in time."),
        Message("If the trade still needs it, ask again with `/resend`."),
        Tone.NEUTRAL,
    ),
    ResendState.CANCELLED: StateText(
        "⛔",
        Message("Resend {id} · cancelled"),
        # Translators: the state of a resend
        Message("Cancelled."),
        _SEE_TRADES,
        Tone.NEUTRAL,
    ),
}
_WITHDRAWN = Message("Resend {id} · withdrawn")

OUTCOMES = {
    Outcome.CONFIRMED: Message("Mannco.store confirmed the resend. A new offer with the same items follows in Steam."),
    Outcome.REFUSED: Message("Mannco.store refused the resend."),
    Outcome.PARAMETER: Message(
        "Nothing was sent: Mannco.store says that a parameter is missing. "
        "The setting `resend_parameter` does not fit its version. An administrator has to change it."
    ),
    Outcome.CREDENTIALS: Message(
        "Nothing was sent: Mannco.store refused SkinDesk's login. A login by API key is renewed for the next time. "
        "Ask for the resend again."
    ),
    Outcome.NOT_REACHED: Message(
        "Nothing was sent: SkinDesk could not reach Mannco.store. Ask for the resend again later."
    ),
    Outcome.ANSWER_LOST: Message("Mannco.store gave no clear answer. SkinDesk keeps reading the trade to find out."),
    Outcome.OTHER_TRADE: Message(
        "**Mannco.store answered about another trade.** Check both trades in its dashboard before anything else."
    ),
    Outcome.INTERRUPTED: Message("SkinDesk stopped before the answer came. It keeps reading the trade to find out."),
    Outcome.RESTORED: Message(
        "SkinDesk's database was restored from a copy, and this may have been sent since that copy was made. "
        "SkinDesk keeps reading the trade to find out."
    ),
    Outcome.READ_BACK: Message("Reading the trade again showed that it was sent."),
    Outcome.MARKED: Message("Settled by hand."),
}
OUTCOMES_IN_MESSAGES = OUTCOMES | {
    Outcome.PARAMETER: Message(
        "Nothing was sent: SkinDesk is not set up correctly for this. The staff has to fix that first."
    ),
    Outcome.CREDENTIALS: Message("Nothing was sent: Mannco.store refused SkinDesk's login. Ask for the resend again."),
    Outcome.OTHER_TRADE: Message("Mannco.store's answer was not about this trade alone. The staff has to check it."),
    Outcome.RESTORED: Message(
        "SkinDesk cannot tell yet whether this was sent. It keeps reading the trade to find out."
    ),
}
"""For requester and owner, who may be customers: no settings, keys or dashboards."""
_DETAILS = {
    "card_not_posted": Message("The card could not be posted."),
    "no_longer_resendable": Message("The trade can no longer be resent."),
    "server_not_served": Message("SkinDesk no longer served this server."),
}
"""The stored reasons of SkinDesk itself."""
_NOTES = {
    "restarted": Message(
        "SkinDesk was restarted after an approval and before sending. Nothing was sent; decide again."
    ),
    "paused": Message("Resends were stopped after an approval and before sending. Nothing was sent; decide again."),
    "requester_not_told": Message("The requester could not be told by direct message."),
    "telling_in_doubt": Message(
        "SkinDesk stopped while it told requester and owner how this ended. They may not know it, and it is not told "
        "twice: `/trades` shows them."
    ),
    "owner_not_told": Message(
        "The trade's owner could not be told by direct message. `/trades` shows them what they need."
    ),
}
RESUME = Message("A member with `settings.manage` can resume them: `/approvals`, *Resume resends*.")


def state_title(resend: Resend) -> str:
    """Return the title of a request: its number and state."""
    return f"{STATES[resend.state].symbol} {short_title(resend)}"


def short_title(resend: Resend) -> str:
    """Return number and state of a request, without a symbol: one that was withdrawn is called so."""
    return _WITHDRAWN(id=resend.id) if resend.is_withdrawn else STATES[resend.state].title(id=resend.id)


def state_sentences(resend: Resend) -> str:
    """Return the state, and who decided and settled it when, in whole sentences."""
    sentences = [STATES[resend.state].sentence()]
    if resend.decided_by is not None and resend.decided_at is not None:
        if resend.state is ResendState.DENIED:
            return t("Denied by {moderator} {when}.", **_by(resend.decided_by, resend.decided_at))
        # Translators: {when} is like "5 minutes ago (14 May 2026 12:00)", written by Discord
        sentences.append(t("Approved by {moderator} {when}.", **_by(resend.decided_by, resend.decided_at)))
    if resend.settled_by is not None and resend.settled_at is not None:
        by = _by(resend.settled_by, resend.settled_at)
        if resend.is_withdrawn:
            return t("Withdrawn by {member} {when}.", member=by["moderator"], when=by["when"])
        sentences.append(t("Marked by {moderator} {when}.", **by))
    return paragraph(*sentences)


def _by(user_id: int, at: datetime) -> dict[str, str]:
    return {"moderator": f"<@{user_id}>", "when": f"{relative(at)} ({moment(at)})"}


def taken_sentence(resend: Resend) -> str:
    """Return who looks at the request since when."""
    if resend.taken_by is None or resend.taken_at is None:
        return t("No one is on it now.")
    # Translators: a moderator looks at a request; {when} is like "5 minutes ago"
    return t("Taken by {moderator} {when}.", moderator=f"<@{resend.taken_by}>", when=relative(resend.taken_at))


def outcome_sentences(resend: Resend, texts: Mapping[Outcome, Message] = OUTCOMES) -> list[str]:
    """Return how a request ended and why, without the provider's own words."""
    lines = []
    if resend.outcome is not None:
        lines.append(texts[resend.outcome]())
    if resend.outcome is Outcome.MARKED and resend.outcome_detail:
        lines.append(reason_line(resend.outcome_detail, 300))
    if resend.decision_reason and not resend.is_withdrawn:
        lines.append(own_reason(resend) or reason_line(resend.decision_reason, 300))
    notes = (note for note in resend.notes if note != ALARM and change_in(note) is None)
    return [*lines, *(str(_NOTES.get(note) or outside(note, 200)) for note in notes)]


def own_reason(resend: Resend) -> str:
    """Return why SkinDesk itself ended a request, empty if it did not."""
    known = _DETAILS.get(resend.decision_reason or "")
    return "" if known is None else known()


def reason_line(stored: str, longest: int) -> str:
    """Return the reason of a decision, which has at most ``longest`` UTF-16 units."""
    return t("Reason: {reason}", reason=outside(shown_reason(stored), longest))
