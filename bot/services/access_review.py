"""Explains rights: through what somebody holds one, since when, and what in a guild's grants is worth a look."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.access import Actor, Capability, Decision, Grant, decide
from bot.domain.access_doctor import Finding, RoleFacts, examine
from bot.domain.audit import AuditAction, AuditRow
from bot.ports import AuditRepository
from bot.services.access import AccessService

_CHANGES_READ = 1_000
"""How many changes of one role are looked through for the one that decides."""


@dataclass(frozen=True, slots=True)
class Why:
    """A decision, with the row of the record that gave the capability to each role; None where no row tells."""

    decision: Decision
    rows: tuple[tuple[int, AuditRow | None], ...]


@dataclass(frozen=True, slots=True)
class Review:
    """All grants of a guild, and what is worth a look."""

    grants: tuple[Grant, ...]
    findings: tuple[Finding, ...]


class AccessReview:
    """Reads and explains; it changes nothing. Everything here needs ``access.manage``."""

    def __init__(self, *, access: AccessService, record: AuditRepository) -> None:
        self._access = access
        self._record = record

    async def why(self, subject: Actor, capability: Capability, *, by: Actor) -> Why:
        """Return whether ``subject``, a member of the asker's guild, may do something, and why."""
        decision = decide(subject, await self._access.grants(by=by), capability)
        rows = [(role_id, await self._row(by.guild_id, role_id, capability)) for role_id in decision.roles]
        return Why(decision, tuple(rows))

    async def review(self, roles: Iterable[RoleFacts], *, by: Actor) -> Review:
        """Return the guild's grants, examined with its ``roles`` as they are now."""
        grants = await self._access.grants(by=by)
        return Review(grants, examine(by.guild_id, grants, roles))

    async def _row(self, guild_id: int, role_id: int, capability: Capability) -> AuditRow | None:
        rows = await self._record.newest(
            guild_id, limit=_CHANGES_READ, action=AuditAction.ACCESS_GRANTED, subject=f"role:{role_id}"
        )
        for row in rows:
            if row.detail.get("capability") == capability.value:
                return row
        if role_id != guild_id:
            return None
        seeded = await self._record.newest(guild_id, limit=1, action=AuditAction.GUILD_SEEDED)
        return next((row for row in seeded if capability.value in row.detail.get("capabilities", "").split()), None)
