"""What is written down of who did what."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    RESENDS_HALTED = "resends.halted"
    RESENDS_RESUMED = "resends.resumed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom in a guild. ``actor_id`` is None where SkinDesk acted by itself. No secrets."""

    guild_id: int
    at: datetime
    actor_id: int | None
    action: AuditAction
    subject: str
    detail: Mapping[str, str] = field(default_factory=dict)
