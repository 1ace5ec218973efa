"""What is kept about one member of a guild, and what stays of it once they ask to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.audit import AuditAction
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

    ``resends`` are those they asked for and those for trades of the account linked to them; ``audit`` the rows that
    name them or that account, and the looks at everybody's trades; ``snapshots`` how many of their own pagers are
    still kept.
    """

    link: Link | None
    ended_links: tuple[EndedLink, ...]
    resends: tuple[Resend, ...]
    audit: tuple[AuditRow, ...]
    snapshots: int

    def own_references(self, user_id: int) -> frozenset[str]:
        """Return how the record spells them: their user, and every account that is or was linked to them."""
        linked = {link.steam_id for link in (self.link, *self.ended_links) if link is not None}
        accounts = linked | accounts_in(self.audit, user_id)
        return frozenset({f"user:{user_id}", *(f"steam:{account}" for account in accounts)})

    def looks(self, user_id: int) -> tuple[AuditRow, ...]:
        """Return who else looked at their things, the newest first."""
        rows = (row for row in self.audit if row.action in LOOKS and row.actor_id != user_id)
        return tuple(sorted(rows, key=lambda row: row.number, reverse=True))


LOOKS = frozenset({AuditAction.INVENTORY_LOOKED, AuditAction.TRADES_LOOKED, AuditAction.AUDIT_LOOKED})
"""Deeds that change nothing: somebody was shown something."""

_OF_LINKS = frozenset({AuditAction.LINK_SET, AuditAction.LINK_REMOVED})


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten: a link, ended requests, snapshots. What stayed is counted, with when it can go.

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


def accounts_in(rows: Iterable[AuditRow], user_id: int) -> frozenset[SteamId]:
    """Return every account that rows of the record say was linked to a user."""
    return frozenset(
        SteamId.parse(row.detail[name])
        for row in rows
        if row.subject == f"user:{user_id}" and row.action in _OF_LINKS
        for name in ("steam_id", "instead_of")
        if row.detail.get(name, "").isdecimal()
    )
