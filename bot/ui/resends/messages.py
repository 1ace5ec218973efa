"""How a resend request stands, in a sentence."""

from datetime import datetime

from bot.domain.resends import ALARM, Outcome, Resend, ResendPause, ResendState, change_in
from bot.ports import Explanations
from bot.ui.kit.text import code, moment, outside, relative

_STATES = {
    ResendState.PENDING: "waiting for a moderator.",
    ResendState.APPROVED: "about to be sent.",
    ResendState.SENDING: "being sent now.",
    ResendState.SENT: "sent.",
    ResendState.FAILED: "failed, nothing was sent.",
    ResendState.UNKNOWN: "in doubt, it may or may not have been sent.",
    ResendState.DENIED: "denied.",
    ResendState.EXPIRED: "expired, nobody decided in time.",
    ResendState.CANCELLED: "cancelled.",
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
    Outcome.NOT_REACHED: "Mannco.store could not be reached. Ask for the resend again later.",
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
_DETAILS = {
    "card_not_posted": "The card could not be posted.",
    "no_longer_resendable": "The trade can no longer be resent.",
}
_NOTES = {
    "restarted": "SkinDesk was restarted after an approval and before sending. Nothing was sent; decide again.",
    "paused": "Resends were stopped after an approval and before sending. Nothing was sent; decide again.",
    "requester_not_told": "The requester could not be told by direct message.",
    "owner_not_told": "The trade's owner could not be told by direct message. `/trades` shows them what they need.",
}
RESUME = "Somebody with `settings.manage` can resume them: `/approvals`, *Resume resends*."
"""Who ends a stop, and how."""

FACT_LABELS = {
    "status": "status",
    "items_send": "items to send",
    "items_received": "items to receive",
    "offer_id": "Steam offer",
    "last_error": "last error",
    "code_digest": "verification code",
}
"""The facts on a card, in words."""


def state_sentence(resend: Resend) -> str:
    """Return the state with who decided and when."""
    words = _STATES[resend.state]
    if resend.decided_by is not None and resend.decided_at is not None:
        by = _by(resend.decided_by, resend.decided_at)
        words = f"denied {by}" if resend.state is ResendState.DENIED else f"{words} {_decision(resend)} {by}"
    if resend.settled_by is None or resend.settled_at is None:
        return words
    return f"{words} Marked {_by(resend.settled_by, resend.settled_at)}"


def _decision(resend: Resend) -> str:
    return "Returned" if resend.state is ResendState.PENDING else "Approved"


def outcome_sentences(resend: Resend) -> list[str]:
    """Return how it came to that, a sentence a line. The provider's own words are not among them."""
    lines = []
    if resend.outcome is not None:
        lines.append(_OUTCOMES[resend.outcome])
    if resend.outcome is Outcome.MARKED and resend.outcome_detail:
        lines.append(f"Reason: {outside(resend.outcome_detail, 300)}")
    if resend.decision_reason:
        lines.append(_DETAILS.get(resend.decision_reason) or f"Reason: {outside(resend.decision_reason, 300)}")
    lines.extend(_NOTES.get(note) or outside(note, 200) for note in resend.notes if not _is_of_the_card(note))
    return lines


def pause_sentences(pause: ResendPause) -> list[str]:
    """Return since when resends are stopped and why, and who can resume them, a sentence a line."""
    if pause.by is not None:
        why = f"Resends are stopped on this server {_by(pause.by, pause.at)}"
    elif pause.resend_id is None:
        why = (
            f"Resends are stopped on this server since {relative(pause.at)} ({moment(pause.at)}), because an earlier "
            "state of SkinDesk's database was restored: it does not know what was sent since that was saved. "
            "Check the newest trades in Mannco.store's dashboard."
        )
    else:
        why = (
            f"**ALARM:** resends are stopped on this server since {relative(pause.at)} ({moment(pause.at)}), because "
            f"Mannco.store answered resend {pause.resend_id} about another trade. Check both trades in its dashboard."
        )
    return [why, RESUME]


def _is_of_the_card(note: str) -> bool:
    """Whether a note is no sentence for everybody, but a part of the card."""
    return note == ALARM or change_in(note) is not None


def change_sentences(resend: Resend, explanations: Explanations) -> list[str]:
    """Return what the card showed before the trade last changed, a fact a line; nothing where it never did."""
    changes = [change for note in resend.notes if (change := change_in(note)) is not None]
    return [_was(name, before, resend, explanations) for name, before in changes[-1].items()] if changes else []


def _was(name: str, before: int | str | None, resend: Resend, explanations: Explanations) -> str:
    """Return a fact's value before."""
    label = _opening(FACT_LABELS[name])
    match name:
        case "status":
            was = f"{explanations.status(resend.provider.dialect, str(before)).title} ({code(str(before), 8)})"
        case "items_send" | "items_received":
            was = str(before) if before != len(getattr(resend.facts, name)) else f"{before}, but others"
        case "offer_id":
            was = code(str(before), 32) if before else "none"
        case "last_error":
            was = outside(str(before), 200) if before else "none"
        case _:
            return f"{label}: it is a new one"
    return f"{label}: was {was}"


def _opening(words: str) -> str:
    return words[:1].upper() + words[1:]


def _by(user_id: int, at: datetime) -> str:
    return f"by <@{user_id}> {relative(at)} ({moment(at)})."
