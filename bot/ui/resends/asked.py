"""The line of a trade about its newest resend request."""

from bot.domain.resends import Resend, ResendState
from bot.ui.kit.text import outside, relative
from bot.ui.resends.card import outcome_sentences

_ENDS = {
    ResendState.PENDING: ("⏳", "a moderator has to approve it"),
    ResendState.APPROVED: ("📨", "it is about to be sent"),
    ResendState.SENDING: ("📨", "it is being sent now"),
    ResendState.UNKNOWN: ("❓", "it may have been sent, which is being found out"),
    ResendState.SENT: ("✅", "sent"),
    ResendState.FAILED: ("❌", "failed"),
    ResendState.DENIED: ("⛔", "denied"),
    ResendState.EXPIRED: ("⌛", "expired"),
    ResendState.CANCELLED: ("↩️", "cancelled"),
}
_CANCELLED = {"no_longer_resendable": "the trade can no longer be resent"}


def asked_line(resend: Resend, *, staff: bool, longest: int) -> str:
    """Return since when a resend is asked for, how it was decided, and why a moderator denied it.

    Only staff read who decided. The reason has at most ``longest`` UTF-16 units.
    """
    symbol, end = _ENDS[resend.state]
    if resend.is_withdrawn:
        end = "withdrawn"
    if resend.state.is_open:
        return f"{symbol} **Resend asked for** {relative(resend.requested_at)}: {end}"
    by = resend.settled_by or resend.decided_by
    whom = f" by <@{by}>" if staff and by is not None else ""
    when = "" if resend.settled_at is None else f" {relative(resend.settled_at)}"
    return (
        f"{symbol} **Resend {end}**{whom}{when}, asked for {relative(resend.requested_at)}"
        f"{_why(resend, staff=staff, longest=longest)}"
    )


def _why(resend: Resend, *, staff: bool, longest: int) -> str:
    if resend.state is ResendState.DENIED:
        return f": {outside(resend.decision_reason, longest)}" if resend.decision_reason else ", without a reason"
    if resend.state is ResendState.EXPIRED:
        return ": no one decided in time"
    if resend.state is ResendState.CANCELLED and resend.decision_reason in _CANCELLED:
        return f": {_CANCELLED[resend.decision_reason]}"
    if resend.state is ResendState.FAILED and staff:
        return "".join(f". {sentence}" for sentence in outcome_sentences(resend)[:1])
    return ""
