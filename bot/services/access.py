"""Decides what an actor may do, and lets those who may change it."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.domain.access import Actor, Capability, Grant, capabilities
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.errors import AccessDenied
from bot.ports import Clock, GrantRepository
from bot.services.audit import AuditService


@dataclass(frozen=True, slots=True)
class GrantChange:
    """The outcome of a grant or a revocation; ``changed`` is false where it was so already."""

    grant: Grant
    changed: bool


class AccessService:
    """The only authority over rights: every other service asks it, in the moment of the deed."""

    def __init__(self, *, grants: GrantRepository, audit: AuditService, clock: Clock) -> None:
        self._grants = grants
        self._audit = audit
        self._clock = clock

    async def capabilities_of(self, actor: Actor) -> frozenset[Capability]:
        """Return everything ``actor`` may do now."""
        return capabilities(actor, await self._grants.of_guild(actor.guild_id))

    async def require(self, capability: Capability, *, of: Actor) -> frozenset[Capability]:
        """Return everything the actor may do; AccessDenied where ``capability`` is not part of it."""
        held = await self.capabilities_of(of)
        if capability not in held:
            raise AccessDenied(capability)
        return held

    async def grant(self, role_id: int, capability: Capability, *, by: Actor) -> GrantChange:
        """Give a role a capability. Needs ``access.manage``."""
        return await self._change(role_id, capability, by=by, action=AuditAction.ACCESS_GRANTED)

    async def revoke(self, role_id: int, capability: Capability, *, by: Actor) -> GrantChange:
        """Take a capability from a role. Needs ``access.manage``."""
        return await self._change(role_id, capability, by=by, action=AuditAction.ACCESS_REVOKED)

    async def revoke_deleted(self, existing: Collection[int], *, by: Actor) -> tuple[Grant, ...]:
        """Take everything from roles that are not among the ``existing`` ones. Needs ``access.manage``.

        Nobody can have such a role, and none can be chosen to revoke it one by one. ValueError where @everyone is not
        among the existing roles: then they are not known.
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

    async def _change(self, role_id: int, capability: Capability, *, by: Actor, action: AuditAction) -> GrantChange:
        await self.require(Capability.MANAGE_ACCESS, of=by)
        grant = Grant(by.guild_id, role_id, capability)
        now = self._clock.now()
        store = self._grants.grant if action is AuditAction.ACCESS_GRANTED else self._grants.revoke
        changed = await store(grant, by=by.user_id, at=now)
        if changed:
            detail = {"capability": capability.value}
            await self._audit.announce(
                AuditEntry(by.guild_id, now, by.user_id, action, f"role:{role_id}", detail),
            )
        return GrantChange(grant, changed)
