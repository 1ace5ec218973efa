"""Decides who may do what, explains it, and lets administrators change it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import attrs

from bot.domain.access import Actor, Capability, Decision, Grant, Viewer, capabilities, decide
from bot.domain.access_doctor import Finding, RoleFacts, examine
from bot.domain.audit import AuditAction, AuditRow
from bot.domain.errors import AccessDenied
from bot.ports import AuditRepository, Clock, GrantRepository, LinkRepository
from bot.services.audit import AuditService

_CHANGES_READ = 1_000
"""How many changes of a role's grants are searched for the one that decides."""


@dataclass(frozen=True, slots=True)
class GrantChange:
    """A grant or revocation. ``changed`` is false if it was so already."""

    grant: Grant
    changed: bool


@dataclass(frozen=True, slots=True)
class Why:
    """A decision, and for each role the audit row that gave it the capability, if there is one."""

    decision: Decision
    rows: tuple[tuple[int, AuditRow | None], ...]


@dataclass(frozen=True, slots=True)
class Review:
    """All grants of a guild, and the ones that deserve attention."""

    grants: tuple[Grant, ...]
    findings: tuple[Finding, ...]


@attrs.define(kw_only=True, eq=False)
class AccessService:
    """The only authority over permissions: every service asks it when it acts."""

    _grants: GrantRepository
    _links: LinkRepository
    _rows: AuditRepository
    _audit: AuditService
    _clock: Clock

    async def viewer(self, actor: Actor) -> Viewer:
        """Read the actor's capabilities and link."""
        held = capabilities(actor, await self._grants.of_guild(actor.guild_id))
        return Viewer(actor, held, await self._links.of_user(actor.guild_id, actor.user_id))

    async def capabilities_of(self, actor: Actor) -> frozenset[Capability]:
        """Return everything ``actor`` may do now."""
        return capabilities(actor, await self._grants.of_guild(actor.guild_id))

    async def require(self, *any_of: Capability, of: Actor) -> None:
        """Raise AccessDenied, with the first one, unless the actor has one of these capabilities."""
        if (await self.capabilities_of(of)).isdisjoint(any_of):
            raise AccessDenied(any_of[0])

    async def grant(self, role_id: int, capability: Capability, *, by: Actor) -> GrantChange:
        """Give a role a capability. Needs ``access.manage``."""
        return await self._change(role_id, capability, by=by, action=AuditAction.ACCESS_GRANTED)

    async def revoke(self, role_id: int, capability: Capability, *, by: Actor) -> GrantChange:
        """Take a capability from a role. Needs ``access.manage``."""
        return await self._change(role_id, capability, by=by, action=AuditAction.ACCESS_REVOKED)

    async def revoke_deleted(self, existing: Collection[int], *, by: Actor) -> tuple[Grant, ...]:
        """Revoke every grant of roles that are not among the ``existing`` ones. Needs ``access.manage``.

        ValueError if @everyone is not among the existing roles: then Discord's roles are not known.
        """
        grants = await self.grants(by=by)
        if by.guild_id not in existing:
            raise ValueError(existing)
        deleted = [grant for grant in grants if grant.role_id not in existing]
        changes = [await self.revoke(grant.role_id, grant.capability, by=by) for grant in deleted]
        return tuple(change.grant for change in changes if change.changed)

    async def grants(self, *, by: Actor) -> tuple[Grant, ...]:
        """Return the guild's grants. Needs ``access.manage``."""
        await self.require(Capability.MANAGE_ACCESS, of=by)
        return await self._grants.of_guild(by.guild_id)

    async def why(self, subject: Actor, capability: Capability, *, by: Actor) -> Why:
        """Return whether and why ``subject``, a member of the guild, has a capability. Needs ``access.manage``."""
        decision = decide(subject, await self.grants(by=by), capability)
        rows = [(role_id, await self._row(by.guild_id, role_id, capability)) for role_id in decision.roles]
        return Why(decision, tuple(rows))

    async def review(self, roles: Iterable[RoleFacts], *, by: Actor) -> Review:
        """Examine the guild's grants together with its ``roles``. Needs ``access.manage``."""
        grants = await self.grants(by=by)
        return Review(grants, examine(by.guild_id, grants, roles))

    async def _row(self, guild_id: int, role_id: int, capability: Capability) -> AuditRow | None:
        """Return the row that gave a role a capability: a grant, or for @everyone the guild's first grants."""
        rows = await self._rows.newest(
            guild_id, limit=_CHANGES_READ, action=AuditAction.ACCESS_GRANTED, subject=f"role:{role_id}"
        )
        for row in rows:
            if row.detail.get("capability") == capability.value:
                return row
        if role_id != guild_id:
            return None
        seeded = await self._rows.newest(guild_id, limit=1, action=AuditAction.GUILD_SEEDED)
        return next((row for row in seeded if capability.value in row.detail.get("capabilities", "").split()), None)

    async def _change(self, role_id: int, capability: Capability, *, by: Actor, action: AuditAction) -> GrantChange:
        await self.require(Capability.MANAGE_ACCESS, of=by)
        grant = Grant(by.guild_id, role_id, capability)
        now = self._clock.now()
        store = self._grants.grant if action is AuditAction.ACCESS_GRANTED else self._grants.revoke
        row = await store(grant, by=by.user_id, at=now)
        if row is not None:
            await self._audit.announce(row)
        return GrantChange(grant, row is not None)
