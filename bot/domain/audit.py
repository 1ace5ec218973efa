"""Entries of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class AuditAction(StrEnum):
    """An action in the audit log, as the database and ``/audit`` spell it."""

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
    """A staff member was shown another user's inventory."""
    TRADES_VIEWED = "trades.viewed"
    """A staff member was shown another user's trades, or everyone's."""
    CUSTOMER_VIEWED = "customer.viewed"
    """A staff member was shown everything about a customer."""
    REFERENCE_VIEWED = "reference.viewed"
    """A staff member was shown the facts behind another user's error."""
    WATCH_SET = "watch.set"
    """A staff member began to watch another user's trade, and gets its changes by direct message."""
    NOTE_ADDED = "note.added"
    NOTE_REMOVED = "note.removed"
    RESEND_TAKEN = "resend.taken"
    """A moderator told the others that they look at a request."""
    AUDIT_VIEWED = "audit.viewed"
    """A staff member read the audit log."""
    VIEWS_REMOVED = "views.removed"
    """SkinDesk removed views of other members' things that were older than :data:`VIEWS_KEPT_FOR`."""
    DATA_EXPORTED = "data.exported"
    DATA_ERASED = "data.erased"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom in a guild. ``actor_id`` is None if SkinDesk acted by itself. No secrets.

    ``subject`` is ``user:<Discord id>``, ``steam:<SteamID>``, ``role:<id>``, ``resend:<id>`` or ``guild``.
    """

    guild_id: int
    at: datetime
    actor_id: int | None
    action: AuditAction
    subject: str
    detail: Mapping[str, str] = field(default_factory=dict)


class PseudonymKind(StrEnum):
    """The role of a person in an entry. Each role has its own pseudonym, so one can be erased and another kept."""

    USER = "user"
    """A Discord user, for their own affairs and for actions of others on them."""
    STEAM = "steam"
    """A Steam account."""
    STAFF = "staff"
    """A Discord user, for actions on others. They answer for those, so this pseudonym is never erased."""


PERSONAL_DETAILS: Mapping[str, PseudonymKind] = {
    "steam_id": PseudonymKind.STEAM,
    "instead_of": PseudonymKind.STEAM,
    "owner": PseudonymKind.STEAM,
    "requester": PseudonymKind.USER,
}
"""The details that name a person; no other detail may."""

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
        AuditAction.CUSTOMER_VIEWED,
        AuditAction.REFERENCE_VIEWED,
        AuditAction.WATCH_SET,
        AuditAction.NOTE_ADDED,
        AuditAction.NOTE_REMOVED,
        AuditAction.RESEND_TAKEN,
        AuditAction.AUDIT_VIEWED,
    }
)
"""Actions on others by a granted right. The integrity check relies on this set: stored actions never join or leave."""

VIEWS = frozenset(
    {
        AuditAction.INVENTORY_VIEWED,
        AuditAction.TRADES_VIEWED,
        AuditAction.CUSTOMER_VIEWED,
        AuditAction.REFERENCE_VIEWED,
        AuditAction.WATCH_SET,
        AuditAction.AUDIT_VIEWED,
    }
)
"""Actions that only show something. They alone are ever removed from the log; stored actions never join or leave."""

VIEWS_KEPT_FOR = timedelta(days=365)
"""How long views stay at least. The integrity check relies on it: it may become longer, never shorter."""


def views_removed_before(now: datetime) -> datetime:
    """Return the time before which views are removed: the beginning of a month, so that the log has a row a month."""
    return (now - VIEWS_KEPT_FOR).astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def acts_as(entry: AuditEntry | AuditRow) -> PseudonymKind:
    """Return the role of an entry's actor: staff also if they link an account without Steam's proof, even their own."""
    by_right = entry.subject != f"user:{entry.actor_id}" or entry.detail.get("source") == "staff"
    links_by_right = entry.action is AuditAction.LINK_SET and by_right
    is_staff = entry.action in STAFF_ACTIONS or links_by_right or is_for_another(entry.detail)
    return PseudonymKind.STAFF if is_staff else PseudonymKind.USER


FOR_ANOTHER = {"for": "another"}
"""The detail that marks an action for another user, such as a resend of a trade that is not the actor's own."""


def is_for_another(detail: Mapping[str, object]) -> bool:
    """Return whether these details mark an action for another user."""
    return detail.get("for") == FOR_ANOTHER["for"]


def is_erased(person: str) -> bool:
    """Return whether a row names this person by the pseudonym that is left of their erased data."""
    return person.startswith("erased:")


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row that cannot be read: it was changed, or another version wrote it."""

    number: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry as it is stored.

    ``actor`` is ``skindesk``, ``user:<Discord id>``, or ``erased:<pseudonym>`` if the user's data was erased;
    ``subject`` and personal details likewise. ``digest`` is the hash chain's digest after this row, in hex.
    """

    number: int
    guild_id: int
    at: datetime
    actor: str
    action: AuditAction
    subject: str
    detail: Mapping[str, str]
    digest: str

    @property
    def actor_id(self) -> int | None:
        """The actor's Discord id; None for SkinDesk itself and for erased users."""
        kind, _, identifier = self.actor.partition(":")
        return int(identifier) if kind == "user" else None


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first fault in the audit log: at which row, of which kind, and how many rows follow.

    * ``changed``: the row does not fit the rows before it; ``unreadable``: it holds values SkinDesk never writes.
    * ``missing``: removed; ``cut_off``: removed at the end; ``sequence``: it follows the last number given out.
    * ``removal``: it was removed and may not be, or the log does not say so.
    * ``pseudonym``: it names a person by an unknown pseudonym or one of another kind; at row 0, the table of
      pseudonyms itself was changed.
    """

    number: int
    what: str
    following: int


@dataclass(frozen=True, slots=True)
class ChainReport:
    """The result of checking the whole audit log, over all guilds: the rows that are sound, and the first fault.

    ``removed`` counts the views of which only digests are left.
    """

    rows: int
    fault: ChainFault | None = None
    removed: int = 0
