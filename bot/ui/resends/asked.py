"""The line of a trade about its newest resend request."""

from bot.domain.resends import Resend, ResendState
from bot.languages import Message, t
from bot.ui.kit.text import relative
from bot.ui.resends.states import outcome_sentences, own_reason, reason_line

_OPEN = {
    # Translators: {when} is like "5 minutes ago"
    ResendState.PENDING: Message("⏳ **Resend asked for** {when}: a moderator has to approve it"),
    ResendState.APPROVED: Message("📨 **Resend asked for** {when}: it is about to be sent"),
    ResendState.SENDING: Message("📨 **Resend asked for** {when}: it is being sent now"),
    ResendState.UNKNOWN: Message("❓ **Resend asked for** {when}: it may have been sent, SkinDesk is finding out"),
}
_ENDED = {
    ResendState.SENT: Message("✅ **Resend sent**"),
    ResendState.FAILED: Message("❌ **Resend failed**"),
    ResendState.DENIED: Message("⛔ **Resend denied**"),
    ResendState.EXPIRED: Message("⌛ **Resend expired**"),
    ResendState.CANCELLED: Message("↩️ **Resend cancelled**"),
}


def asked_line(resend: Resend, *, staff: bool, longest: int) -> str:
    """Return when a resend was asked for, how it was decided, and why a moderator denied it.

    Only staff read who decided. The reason has at most ``longest`` UTF-16 units.
    """
    if resend.state.is_open:
        return _OPEN[resend.state](when=relative(resend.requested_at))
    facts = [t("↩️ **Resend withdrawn**") if resend.is_withdrawn else _ENDED[resend.state]()]
    by = resend.settled_by or resend.decided_by
    if staff and by is not None:
        facts.append(by_whom(by))
    if resend.settled_at is not None:
        facts.append(relative(resend.settled_at))
    facts.append(t("asked for {when}", when=relative(resend.requested_at)))
    return " · ".join(filter(None, [*facts, _why(resend, staff=staff, longest=longest)]))


def by_whom(user_id: int) -> str:
    """Return who did something."""
    # Translators: who denied, sent or withdrew a resend: a fact of its own between dots
    return t("by {who}", who=f"<@{user_id}>")


def _why(resend: Resend, *, staff: bool, longest: int) -> str:
    if resend.state is ResendState.DENIED:
        return reason_line(resend.decision_reason, longest) if resend.decision_reason else t("No reason given")
    if resend.state is ResendState.EXPIRED:
        return t("No one decided in time")
    if resend.state is ResendState.CANCELLED and resend.decision_reason == "no_longer_resendable":
        return own_reason(resend)
    if resend.state is ResendState.FAILED and staff:
        return next(iter(outcome_sentences(resend)), "")
    return ""
