"""Which Steam account belongs to which Discord user, per guild."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
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

    @property
    def is_self_made(self) -> bool:
        """Whether somebody of the staff linked the account to themselves: nobody vouches that it is theirs."""
        return self.source is LinkSource.STAFF and self.linked_by == self.user_id

    @property
    def proven(self) -> SteamId | None:
        """The account, where Steam or somebody else vouches for it: only then are its trades' codes its user's."""
        return None if self.is_self_made else self.steam_id

    def waits_until(self, now: datetime) -> datetime | None:
        """Return from when own resends count, None where they do already."""
        return self.resends_from if self.waits_at(now) else None

    def waits_at(self, now: datetime) -> bool:
        """Whether own resends do not count yet."""
        return self.resends_from is not None and now < self.resends_from


@dataclass(frozen=True, slots=True)
class EndedLink:
    """A link that is no more, remembered for :data:`RELINK_COOL_DOWN`. ``resends_from`` is what it had."""

    guild_id: int
    user_id: int
    steam_id: SteamId
    ended_at: datetime
    resends_from: datetime | None = None


def resends_from(pair: Link, *, standing: Link | None, ended: Iterable[EndedLink]) -> datetime | None:
    """Return when own resends count for a new link ``pair``; None: at once.

    ``standing`` is the user's link until now, ``ended`` what is remembered of the user and of the account. They wait
    where the user had another account within :data:`RELINK_COOL_DOWN`, or the account another user. Linking again
    what was linked last is no change: a wait that runs goes on as it was.
    """
    waiting = pair.linked_at + RELINK_COOL_DOWN
    if standing is not None:
        return standing.resends_from if standing.steam_id == pair.steam_id else waiting
    lately = [link for link in ended if pair.linked_at < link.ended_at + RELINK_COOL_DOWN]
    own = next((link for link in lately if (link.user_id, link.steam_id) == (pair.user_id, pair.steam_id)), None)
    others = [link for link in lately if link is not own]
    if own is None:
        return waiting if others else None
    if any(other.ended_at >= own.ended_at for other in others):
        return waiting
    runs = own.resends_from is not None and pair.linked_at < own.resends_from
    return own.resends_from if runs else None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A Steam sign-in that was begun in Discord. The address holds a token; ``digest`` is the SHA-256 of it, in hex."""

    digest: str
    guild_id: int
    user_id: int
    expires_at: datetime
