"""Internal notes of the staff on a customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.steam import SteamId

MAX_NOTE = 400
"""Longest note, in characters."""

NOTES_AT_MOST = 10
"""Notes on one customer: as many as one message shows."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a member, on a Steam account, or on a member with the account that they had then.

    The text is untrusted and holds no trade token.
    """

    id: int
    guild_id: int
    user_id: int | None
    steam_id: SteamId | None
    author_id: int
    text: str
    at: datetime
