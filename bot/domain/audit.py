"""What is written down of who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class AuditAction(StrEnum):
    """A thing worth writing down; the words are those of the database and of ``/audit``."""

    GUILD_SEEDED = "guild.seeded"
    ACCESS_GRANTED = "access.granted"
    ACCESS_REVOKED = "access.revoked"
    LINK_SET = "link.set"
    LINK_REMOVED = "link.removed"
    SETTINGS_CHANGED = "settings.changed"
    RESEND_REQUESTED = "resend.requested"
    RESEND_APPROVED = "resend.approved"
    RESEND_DENIED = "resend.denied"
    RESEND_EXPIRED = "resend.expired"
    RESEND_CANCELLED = "resend.cancelled"
    RESEND_REVISED = "resend.revised"
    RESEND_SENDING = "resend.sending"
    RESEND_SENT = "resend.sent"
    RESEND_FAILED = "resend.failed"
    RESEND_UNKNOWN = "resend.unknown"
    RESEND_RETURNED = "resend.returned"
    RESENDS_PAUSED = "resends.paused"
    RESENDS_RESUMED = "resends.resumed"
    INVENTORY_VIEWED = "inventory.viewed"
    """Somebody of the staff was shown somebody's inventory."""
    TRADES_VIEWED = "trades.viewed"
    """Somebody of the staff was shown somebody's trades, or everybody's."""
    AUDIT_VIEWED = "audit.viewed"
    """Somebody read this record."""
    DATA_EXPORTED = "data.exported"
    DATA_ERASED = "data.erased"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom in a guild. ``actor_id`` is None where SkinDesk acted by itself. No secrets.

    ``subject`` is ``user:<Discord id>``, ``steam:<SteamID>``, ``role:<id>``, ``resend:<id>`` or ``guild``.
    """

    guild_id: int
    at: datetime
    actor_id: int | None
    action: AuditAction
    subject: str
    detail: Mapping[str, str] = field(default_factory=dict)


class PseudonymKind(StrEnum):
    """As what somebody is in the record. Each is another pseudonym, so that one can be forgotten and another stay."""

    USER = "user"
    """A Discord user, for what they did for themselves and what was done to them."""
    STEAM = "steam"
    """A Steam account."""
    STAFF = "staff"
    """A Discord user, for what they did to others: that they answer for, and it is not forgotten."""


PERSONAL_DETAILS: Mapping[str, PseudonymKind] = {
    "steam_id": PseudonymKind.STEAM,
    "instead_of": PseudonymKind.STEAM,
    "owner": PseudonymKind.STEAM,
    "requester": PseudonymKind.USER,
}
"""The details that name somebody; every other one must not."""

STAFF_ACTIONS = frozenset(
    {
        AuditAction.ACCESS_GRANTED,
        AuditAction.ACCESS_REVOKED,
        AuditAction.SETTINGS_CHANGED,
        AuditAction.RESEND_APPROVED,
        AuditAction.RESEND_DENIED,
        AuditAction.RESEND_SENT,
        AuditAction.RESEND_FAILED,
        AuditAction.RESENDS_PAUSED,
        AuditAction.RESENDS_RESUMED,
        AuditAction.INVENTORY_VIEWED,
        AuditAction.TRADES_VIEWED,
        AuditAction.AUDIT_VIEWED,
    }
)
"""What somebody does to others by a right they were given. Linking by that right is one too: see :func:`acts_as`.

The check of the record misses nobody but the staff: an action that is written down already never comes in or goes.
"""


def acts_as(entry: AuditEntry | AuditRow) -> PseudonymKind:
    """Return as what the actor of an entry is kept, or of a row that names who did it and to whom.

    Who links an account to themselves as staff does so by their right, without Steam's word that it is theirs. Who asks
    for a resend of somebody else's trade, or ends somebody else's link, does so by theirs, too: the entry says
    ``FOR_ANOTHER``.
    """
    by_right = entry.subject != f"user:{entry.actor_id}" or entry.detail.get("source") == "staff"
    links_by_right = entry.action is AuditAction.LINK_SET and by_right
    is_staff = entry.action in STAFF_ACTIONS or links_by_right or is_for_another(entry.detail)
    return PseudonymKind.STAFF if is_staff else PseudonymKind.USER


FOR_ANOTHER = {"for": "another"}
"""The detail of what is done in another's place: a request for a resend by somebody to whom the trade's owner was not
linked, and the end of somebody else's link.
"""


def is_for_another(detail: Mapping[str, object]) -> bool:
    """Say whether an entry is a request for a resend of somebody else's trade, or the end of somebody else's link."""
    return detail.get("for") == FOR_ANOTHER["for"]


def is_erased(told: str) -> bool:
    """Say whether what a row names is the pseudonym of somebody who asked to be forgotten."""
    return told.startswith("erased:")


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row of the record that cannot be read: something in it was changed, or another version wrote it."""

    number: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry as it stands in the record.

    ``actor`` is ``skindesk``, ``user:<Discord id>``, or ``erased:<pseudonym>`` for somebody who asked to be
    forgotten; ``subject`` and personal details alike. ``digest`` is where the chain stood after it, in hex.
    """

    number: int
    at: datetime
    actor: str
    action: AuditAction
    subject: str
    detail: Mapping[str, str]
    digest: str

    @property
    def actor_id(self) -> int | None:
        """The actor's Discord id; None where SkinDesk acted by itself, or the actor is forgotten."""
        kind, _, identifier = self.actor.partition(":")
        return int(identifier) if kind == "user" else None


@dataclass(frozen=True, slots=True)
class ChainFault:
    """A row that is not as it was written, or is missing. ``what`` is a word for how that shows.

    ``changed`` and ``unreadable`` rows hold something else than was written; of ``digest`` only the digest was
    changed. ``unproven`` is a row after a lost one: nothing is left to prove it by. ``missing`` rows were taken out,
    ``cut_off`` ones at the end; an ``inserted`` one has a number that none gets, and a last row with ``sequence``
    stands after the last number that was given. ``named`` is a row with somebody's id. ``person`` is the first row of
    somebody whose pseudonym was given to another, or of staff whose name was taken away; 0 where no row names them.
    """

    number: int
    what: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the whole record found, over all guilds."""

    rows: int
    faults: tuple[ChainFault, ...] = ()
