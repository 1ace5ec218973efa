"""When an unknown outcome is read again."""

from datetime import datetime, timedelta

from bot.domain.resends import Resend

_SETTLE_EVERY = timedelta(seconds=4)
"""Less than the time between two rounds, so that each of them reads: at least every 10 s (design.md, 1.6)."""
_SETTLE_OFTEN_FOR = timedelta(minutes=5)
_SETTLE_AT_MOST_EVERY = timedelta(hours=1)


def is_reading_due(unknown: Resend, now: datetime) -> bool:
    """Return whether to read now: also if the machine's clock was set back since the time was stored."""
    return unknown.settle_after is None or not now < unknown.settle_after <= next_reading(unknown, now)


def next_reading(resend: Resend, read_at: datetime) -> datetime:
    """Return when to read again: each round for the first 5 minutes, then ever less often."""
    since = read_at - (resend.sent_at or resend.requested_at)
    if since < _SETTLE_OFTEN_FOR:
        return read_at + _SETTLE_EVERY
    return read_at + min(since / 5, _SETTLE_AT_MOST_EVERY)
