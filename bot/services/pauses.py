"""Stops all resends of a server, and lets them go on."""

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.errors import PauseOutdated, ResendsPaused
from bot.domain.resends import ResendPause
from bot.ports import Clock, PauseRepository
from bot.services.access import AccessService
from bot.services.audit import AuditService


class PauseService:
    """The kill switch. Pressing it, either way, needs ``settings.manage``."""

    def __init__(self, *, pauses: PauseRepository, access: AccessService, audit: AuditService, clock: Clock) -> None:
        self._pauses = pauses
        self._access = access
        self._audit = audit
        self._clock = clock

    async def of_guild(self, guild_id: int) -> ResendPause | None:
        """Return the guild's stop, None where its resends go on."""
        return await self._pauses.of_guild(guild_id)

    async def check(self, guild_id: int) -> None:
        """Raise ResendsPaused where the guild's resends are stopped."""
        pause = await self._pauses.of_guild(guild_id)
        if pause is not None:
            raise ResendsPaused(pause)

    async def pause(self, *, by: Actor) -> bool:
        """Stop the guild's resends; False where they were stopped already."""
        await self._access.require(Capability.MANAGE_SETTINGS, of=by)
        paused = await self._pauses.pause(by.guild_id, by=by.user_id, at=self._clock.now()) is not None
        if paused:
            await self._announce(AuditAction.RESENDS_PAUSED, by)
        return paused

    async def resume(self, number: int | None, *, by: Actor) -> bool:
        """Let the guild's resends go on; False where they did already.

        ``number`` is that of the stop that was shown, None where that is not known: PauseOutdated where another stands.
        """
        await self._access.require(Capability.MANAGE_SETTINGS, of=by)
        if number is not None and await self._pauses.resume(by.guild_id, number, by=by.user_id, at=self._clock.now()):
            await self._announce(AuditAction.RESENDS_RESUMED, by)
            return True
        pause = await self._pauses.of_guild(by.guild_id)
        if pause is not None:
            raise PauseOutdated(pause)
        return False

    async def _announce(self, action: AuditAction, by: Actor) -> None:
        await self._audit.announce(AuditEntry(by.guild_id, self._clock.now(), by.user_id, action, "guild"))
