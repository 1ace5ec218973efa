"""A server's resends being stopped: since when, by whom, and because of which answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ALARM = "alarm"
"""The note on the card of a resend whose answer, being about another trade, stopped every other one."""


@dataclass(frozen=True, slots=True)
class ResendPause:
    """Nothing is requested, approved or sent in this guild until somebody resumes it.

    ``by`` is None where SkinDesk stopped them itself: because the answer to ``resend_id`` was about another trade, or,
    without one, because an earlier state of the database was restored.
    """

    guild_id: int
    at: datetime
    by: int | None = None
    resend_id: int | None = None

    @property
    def number(self) -> int:
        """Which of the guild's stops it is: its moment in whole milliseconds since 1970."""
        return (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
