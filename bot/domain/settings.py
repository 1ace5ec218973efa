"""What a guild sets for itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Setting(StrEnum):
    """One thing that a guild sets, as the commands call it."""

    APPROVALS_CHANNEL = "approvals-channel"
    AUDIT_CHANNEL = "audit-channel"


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """Where approval cards and audit posts of a guild go; None where nothing is set."""

    guild_id: int
    approvals_channel_id: int | None = None
    audit_channel_id: int | None = None
