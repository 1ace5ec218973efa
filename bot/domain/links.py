"""Which Steam account belongs to which Discord user, per guild."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.steam import SteamId


class LinkSource(StrEnum):
    """How a link came about."""

    STAFF = "staff"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Link:
    """A Discord user's Steam account in one guild. ``linked_by`` is the Discord id of who set it."""

    guild_id: int
    user_id: int
    steam_id: SteamId
    source: LinkSource
    linked_by: int
    linked_at: datetime
