"""What is kept about one member of a guild, and what stays of it once they ask to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.audit import AuditAction, PseudonymKind, acts_as, is_erased
from bot.domain.steam import SteamId

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.domain.audit import AuditRow
    from bot.domain.links import EndedLink, Link
    from bot.domain.resends import Resend


@dataclass(frozen=True, slots=True)
class StoredData:
    """Everything that a guild's tables hold about a member.

    ``accounts`` are those that count as theirs: :func:`accounts_of`, but for what is another member's by now.
    ``resends`` are those they asked for and those for trades of these accounts; ``audit`` the rows that name them or
    the one that is linked to them, and the looks at everybody's trades; ``snapshots`` how many of their own pagers
    are still kept.
    """

    link: Link | None
    ended_links: tuple[EndedLink, ...]
    accounts: frozenset[SteamId]
    resends: tuple[Resend, ...]
    audit: tuple[AuditRow, ...]
    snapshots: int

    def own_references(self, user_id: int) -> frozenset[str]:
        """Return how the record spells them: their user, and every account that counts as theirs."""
        return frozenset({f"user:{user_id}", *(f"steam:{account}" for account in self.accounts)})

    def views_by_others(self, user_id: int) -> tuple[AuditRow, ...]:
        """Return who else looked at their things, the newest first."""
        rows = (row for row in self.audit if row.action in VIEWS and row.actor_id != user_id)
        return tuple(sorted(rows, key=lambda row: row.number, reverse=True))


VIEWS = frozenset({AuditAction.INVENTORY_VIEWED, AuditAction.TRADES_VIEWED, AuditAction.AUDIT_VIEWED})
"""Deeds that change nothing: somebody was shown something."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: a link, ended requests, snapshots. What stayed is counted, with when it can go.

    ``resends_kept`` are open, or younger than the window in which requests are counted; ``kept_until`` is when the
    last of the ended ones may be forgotten, None where an open one has no such moment or nothing stayed.
    ``links_kept_until`` is until when ended links are remembered, this one among them; None where there are none.
    """

    link: Link | None
    resends: int
    snapshots: int
    resends_kept: int = 0
    kept_until: datetime | None = None
    links_kept_until: datetime | None = None


def accounts_of(
    user_id: int, *, link: Link | None, ended_links: Iterable[EndedLink], linkings: Iterable[AuditRow]
) -> frozenset[SteamId]:
    """Return the accounts, now and before, that count as somebody's own: Steam or somebody else vouched for them.

    Who links an account to themselves as staff proves nothing by that, and must reach nobody else's things with it.
    ``linkings`` are all rows of the record by which they were linked, or linked somebody.
    """
    rows, themselves = tuple(linkings), f"user:{user_id}"
    own = {
        SteamId.parse(row.detail["steam_id"])
        for row in rows
        if row.subject == themselves and not _is_self_made(row) and row.detail.get("steam_id", "").isdecimal()
    }
    if link is not None and not link.is_self_made:
        own.add(link.steam_id)
    # An ended link outlives what the record says of it where its user was forgotten before.
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
    """Say whether somebody may have linked themselves as staff: what they did as staff is never forgotten."""
    return acts_as(row) is PseudonymKind.STAFF and _may_be(row.subject, row.actor)


def _may_be(told: str, sought: str) -> bool:
    return told == sought or is_erased(told)
