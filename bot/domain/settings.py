"""A guild's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Setting(StrEnum):
    """A setting, as the commands spell it."""

    APPROVALS_CHANNEL = "approvals-channel"
    AUDIT_CHANNEL = "audit-channel"
    APPROVALS_ROLE = "approvals-role"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """The channels for a guild's approval cards and audit posts, the role that cards mention, and their language.

    None if not set; the language is then the one that the server has on Discord.
    """

    guild_id: int
    approvals_channel_id: int | None = None
    audit_channel_id: int | None = None
    approvals_role_id: int | None = None
    language: str | None = None
