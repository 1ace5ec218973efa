"""Which Steam account belongs to which Discord user, per guild."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.audit import AuditRow
from bot.domain.steam import SteamId

RELINK_COOL_DOWN = timedelta(hours=72)
"""How long own resends and codes wait after an account changed hands, so that a stolen account is noticed first."""

SIGN_IN_WITHIN = timedelta(minutes=10)
"""How long a sign-in address is valid."""


class LinkSource(StrEnum):
    """How a link was made."""

    STAFF = "staff"
    SIGN_IN = "sign_in"


class HandOverReason(StrEnum):
    """Why a user no longer has a Steam account."""

    REPLACED = "replaced"
    """They have another one now."""
    ENDED = "ended"
    """A staff member ended the link."""
    TAKEN = "taken"
    """Their link had ended, and another user has the account now."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A former holder of a Steam account who is to be told; ``now`` is the account that they have instead."""

    guild_id: int
    user_id: int
    steam_id: SteamId
    reason: HandOverReason
    now: SteamId | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A Discord user's Steam account in one guild. ``linked_by`` is the Discord id of the user who set it."""

    guild_id: int
    user_id: int
    steam_id: SteamId
    source: LinkSource
    linked_by: int
    linked_at: datetime
    resends_from: datetime | None = None
    """When the user may request resends of their own trades; None: at once. Set by the repository."""
    audit_row: AuditRow | None = field(default=None, compare=False, repr=False)
    """The row of the change that returned this link; None if it was only read."""
    hand_overs: tuple[HandOver, ...] = field(default=(), compare=False, repr=False)
    """The former holders that this change concerns."""

    @property
    def is_self_made(self) -> bool:
        """Whether a staff member linked the account to themselves: nothing confirms that it is theirs."""
        return self.source is LinkSource.STAFF and self.linked_by == self.user_id

    @property
    def proven(self) -> SteamId | None:
        """The account, if Steam or another user confirmed it: only then may its user see the codes of its trades."""
        return None if self.is_self_made else self.steam_id

    def codes_from(self, now: datetime) -> datetime | None:
        """Return when the codes of the account's trades can be shown to its user, None if they can be now.

        They wait as own resends do, unless the user signed in at Steam: that proves the account.
        """
        return None if self.source is LinkSource.SIGN_IN else self.waits_until(now)

    def waits_until(self, now: datetime) -> datetime | None:
        """Return when own resends become possible, None if they are."""
        return self.resends_from if self.waits_at(now) else None

    def waits_at(self, now: datetime) -> bool:
        """Return whether own resends are not possible yet."""
        return self.resends_from is not None and now < self.resends_from


@dataclass(frozen=True, slots=True)
class EndedLink:
    """A removed link, kept for :data:`RELINK_COOL_DOWN`, with the ``resends_from`` it had."""

    guild_id: int
    user_id: int
    steam_id: SteamId
    ended_at: datetime
    resends_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A user who has a Steam account in a guild, or had it within :data:`RELINK_COOL_DOWN`."""

    user_id: int
    steam_id: SteamId


def resends_from(pair: Link, *, standing: Link | None, ended: Iterable[EndedLink]) -> datetime | None:
    """Return when own resends become possible for a new link ``pair``; None: at once.

    ``standing`` is the user's current link, ``ended`` are the kept links of the user and of the account. Resends wait
    if, within :data:`RELINK_COOL_DOWN`, the user had another account or the account another user. Linking the last
    pair again is no change: its own wait, if any, continues.
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


def hand_overs(pair: Link, *, standing: Link | None, ended: Iterable[EndedLink]) -> tuple[HandOver, ...]:
    """Return who is to be told about a new link ``pair``, with the arguments of :func:`resends_from`.

    The user whose account it replaces, and the last one who had the new account within :data:`RELINK_COOL_DOWN`.
    Linking the last pair again tells no one a second time.
    """
    if standing is not None and standing.steam_id == pair.steam_id:
        return ()
    notified = []
    if standing is not None:
        notified.append(
            HandOver(pair.guild_id, pair.user_id, standing.steam_id, HandOverReason.REPLACED, pair.steam_id)
        )
    of_account = [link for link in ended if link.steam_id == pair.steam_id]
    last = max(of_account, key=lambda link: (link.ended_at, link.user_id == pair.user_id), default=None)
    if last is not None and last.user_id != pair.user_id and pair.linked_at < last.ended_at + RELINK_COOL_DOWN:
        notified.append(HandOver(pair.guild_id, last.user_id, pair.steam_id, HandOverReason.TAKEN))
    return tuple(notified)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A Steam sign-in that was started in Discord. ``digest`` is the SHA-256 of the address's token, in hex."""

    digest: str
    guild_id: int
    user_id: int
    expires_at: datetime
