"""What is kept about one member of a guild, and what stays of it once they ask to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten: a link, ended requests, snapshots. What stayed is counted, with when it can go.

    ``resends_kept`` are open, or younger than the window in which requests are counted; ``kept_until`` is when the
    last of the ended ones may be forgotten, None where an open one has no such moment or nothing stayed.
    """

    link: Link | None
    resends: int
    snapshots: int
    resends_kept: int = 0
    kept_until: datetime | None = None
