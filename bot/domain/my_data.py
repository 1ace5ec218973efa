"""The stored data about one member of a guild, and the result of erasing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.audit import VIEWS, AuditRow, PseudonymKind, acts_as, is_erased
from bot.domain.links import EndedLink, Link
from bot.domain.notes import Note
from bot.domain.references import ErrorReference
from bot.domain.resends import Resend
from bot.domain.steam import SteamId
from bot.domain.watches import Watch

NOT_NAMED, THE_STAFF = "somebody else", "the staff"
"""People who are not named, as the file of ``/mydata export`` spells them in every language."""


@dataclass(frozen=True, slots=True)
class StoredData:
    """All stored data about a member of a guild.

    ``accounts`` are the result of :func:`accounts_of` without accounts that are another member's now. ``resends`` are
    those they requested and those for trades of these accounts. ``audit`` are the rows that name them or an account of
    theirs, and all views of everyone's trades. ``snapshots`` is the number of their stored pagers. ``watches`` are the
    trades that they watch. ``notes`` are the staff's on them, and those on their accounts from when no member had
    these. ``errors`` are the errors that they were shown lately.
    """

    link: Link | None
    ended_links: tuple[EndedLink, ...]
    accounts: frozenset[SteamId]
    resends: tuple[Resend, ...]
    audit: tuple[AuditRow, ...]
    snapshots: int
    watches: tuple[Watch, ...] = ()
    notes: tuple[Note, ...] = ()
    errors: tuple[ErrorReference, ...] = ()

    def own_references(self, user_id: int) -> frozenset[str]:
        """Return the audit log's references to them: their user, and each of their accounts."""
        return frozenset({f"user:{user_id}", *(f"steam:{account}" for account in self.accounts)})

    def views_by_others(self, user_id: int) -> tuple[AuditRow, ...]:
        """Return the views of their data by other users, the newest first."""
        rows = (row for row in self.audit if row.action in VIEWS and row.actor_id != user_id)
        return tuple(sorted(rows, key=lambda row: row.number, reverse=True))


@dataclass(frozen=True, slots=True)
class Erased:
    """The erased data, and the data that had to stay.

    ``resends_kept`` are open, or still count against the daily limit; ``kept_until`` is when the last of them can be
    erased, None if one is open or none was kept. ``links_kept_until`` is when the last ended link is deleted.
    """

    link: Link | None
    resends: int
    snapshots: int
    watches: int = 0
    notes: int = 0
    errors: int = 0
    resends_kept: int = 0
    kept_until: datetime | None = None
    links_kept_until: datetime | None = None


def accounts_of(
    user_id: int, *, link: Link | None, ended_links: Iterable[EndedLink], linkings: Iterable[AuditRow]
) -> frozenset[SteamId]:
    """Return the accounts, now and before, that count as the user's own: Steam or another user confirmed them.

    A staff member's link to themselves proves nothing and must not open another user's data. ``linkings`` are all
    audit rows that link them, or in which they link a user.
    """
    rows, themselves = tuple(linkings), f"user:{user_id}"
    own = {
        SteamId.parse(row.detail["steam_id"])
        for row in rows
        if row.subject == themselves and not _is_self_made(row) and row.detail.get("steam_id", "").isdecimal()
    }
    if link is not None and not link.is_self_made:
        own.add(link.steam_id)
    # If the user erased their data before, an ended link can be older than its rows that still name them.
    doubtful = [row for row in rows if row.actor == themselves and _may_be_self_made(row)]
    own |= {
        ended.steam_id
        for ended in ended_links
        if not any(_may_be(row.detail.get("steam_id", ""), str(ended.steam_id)) for row in doubtful)
    }
    return frozenset(own)


def _is_self_made(row: AuditRow) -> bool:
    return row.actor == row.subject and acts_as(row) is PseudonymKind.STAFF


def _may_be_self_made(row: AuditRow) -> bool:
    """Return whether this row may be a link of a staff member to themselves, with the user part erased."""
    return acts_as(row) is PseudonymKind.STAFF and _may_be(row.subject, row.actor)


def _may_be(person: str, sought: str) -> bool:
    return person == sought or is_erased(person)
