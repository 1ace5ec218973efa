"""Reports the health of the providers."""

from dataclasses import replace

from bot.domain.access import Actor, Capability
from bot.domain.health import ProviderHealth
from bot.ports import HealthSource
from bot.services.access import AccessService


class StatusService:
    """Provider health for everyone; failures and quotas for holders of ``audit.read``."""

    def __init__(self, *, sources: tuple[HealthSource, ...], access: AccessService) -> None:
        self._sources = sources
        self._access = access

    async def report(self, *, by: Actor) -> tuple[ProviderHealth, ...]:
        """Return the health of every provider."""
        details = Capability.READ_AUDIT in await self._access.capabilities_of(by)
        health = tuple([await source.health() for source in self._sources])
        if not details:
            health = tuple(replace(each, failure=None, quotas=()) for each in health)
        return health
