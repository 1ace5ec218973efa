"""The switch that pauses all resends of a guild."""

import attrs

from bot.domain.access import Actor, Capability
from bot.domain.errors import AccessDenied, PauseOutdated
from bot.domain.resends import ResendPause
from bot.ports import Clock
from bot.ports.resends import PauseRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService


@attrs.define(kw_only=True, eq=False)
class PauseService:
    """Pauses and resumes the resends of a guild."""

    _pauses: PauseRepository
    _access: AccessService
    _audit: AuditService
    _clock: Clock

    async def pause_of(self, guild_id: int) -> ResendPause | None:
        """Return the guild's pause, if its resends are paused."""
        return await self._pauses.of_guild(guild_id)

    async def pause(self, *, by: Actor) -> bool:
        """Pause the guild's resends; return False if they were paused already.

        Needs ``resend.approve`` or ``settings.manage``: whoever sees something wrong can stop it.
        """
        held = await self._access.capabilities_of(by)
        if held.isdisjoint({Capability.APPROVE_RESEND, Capability.MANAGE_SETTINGS}):
            raise AccessDenied(Capability.APPROVE_RESEND)
        now = self._clock.now()
        row = await self._pauses.pause(by.guild_id, by=by.user_id, at=now)
        if row is not None:
            await self._audit.announce(row)
        return row is not None

    async def resume(self, number: int | None, *, by: Actor) -> bool:
        """Resume the guild's resends; return False if they were not paused. Needs ``settings.manage``.

        ``number`` is that of the pause that the actor saw, if known: PauseOutdated if there is another one.
        """
        await self._access.require(Capability.MANAGE_SETTINGS, of=by)
        now = self._clock.now()
        if number is not None:
            row = await self._pauses.resume(by.guild_id, number, by=by.user_id, at=now)
            if row is not None:
                await self._audit.announce(row)
                return True
        pause = await self._pauses.of_guild(by.guild_id)
        if pause is not None:
            raise PauseOutdated(pause)
        return False
