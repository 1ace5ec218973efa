"""A server's resends being stopped: since when, by whom, and because of which answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ALARM = "alarm"
"""The note on the card of a resend whose answer, being about another trade, stopped every other one."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing is requested, approved or sent in this guild until somebody resumes it.

    ``by`` is None where SkinDesk stopped them itself, because the answer to ``resend_id`` was about another trade.
    """

    guild_id: int
    at: datetime
    by: int | None = None
    resend_id: int | None = None
