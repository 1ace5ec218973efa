"""Which Steam account belongs to which Discord user, per guild."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.steam import SteamId

RELINK_COOL_DOWN = timedelta(hours=72)
"""How long own resends wait after an account changed hands: whoever took one over is likelier to be noticed by then."""

SIGN_IN_WITHIN = timedelta(minutes=10)
"""How long the address of a Steam sign-in can be used."""


class LinkSource(StrEnum):
    """How a link came about."""

    STAFF = "staff"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Link:
    """A Discord user's Steam account in one guild. ``linked_by`` is the Discord id of who set it.

    ``resends_from`` is when the user may ask for resends of their own trades; None: as soon as they are linked. The
    repository sets it: the cool-down runs where within it the user had another account, or the account another user.
    """

    guild_id: int
    user_id: int
    steam_id: SteamId
    source: LinkSource
    linked_by: int
    linked_at: datetime
    resends_from: datetime | None = None

    def waits_at(self, now: datetime) -> bool:
        """Whether own resends do not count yet."""
        return self.resends_from is not None and now < self.resends_from


@dataclass(frozen=True, slots=True)
class EndedLink:
    """A link that is no more, remembered for :data:`RELINK_COOL_DOWN`."""

    guild_id: int
    user_id: int
    steam_id: SteamId
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """A Steam sign-in that was begun in Discord. The address holds a token; ``digest`` is the SHA-256 of it, in hex."""

    digest: str
    guild_id: int
    user_id: int
    expires_at: datetime
