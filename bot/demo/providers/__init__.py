"""Simulated providers and Steam on loopback ports."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Self

from bot.demo.providers.assetpay import SimulatedAssetPay, SimulatedAssetPayLegacy
from bot.demo.providers.mannco import SimulatedMannco
from bot.demo.providers.skinsback import SimulatedSkinsBack
from bot.demo.world import World


class SimulatedProviders:
    """Runs the providers of one world: ``async with SimulatedProviders(world) as providers: …``.

    ``mannco_as_admin`` makes the key of Mannco.store an administrator's, which sees everyone's trades;
    ``per_user_paths`` is the setting of that name.
    """

    def __init__(self, world: World, *, mannco_as_admin: bool = False, per_user_paths: bool = False) -> None:
        self.world = world
        self.per_user_paths = per_user_paths
        self.assetpay = SimulatedAssetPay(world)
        self.assetpay_legacy = SimulatedAssetPayLegacy(world)
        self.skinsback = SimulatedSkinsBack(world)
        self.mannco = SimulatedMannco(world, as_admin=mannco_as_admin)
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            for server in (self.assetpay, self.assetpay_legacy, self.skinsback, self.mannco):
                await starting.enter_async_context(server)
            self._running = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    def settings(self) -> dict[str, dict[str, str]]:
        """Return the ``[providers.…]`` tables of the configuration, for a verified merchant; they hold credentials."""
        credentials = self.world.credentials
        assetpay = {"base_url": self.assetpay.url, "api_key": credentials.assetpay_api_key, "verified": "true"}
        return {
            "assetpay": assetpay,
            "assetpay_client": assetpay | {"authorization": "raw"},
            "assetpay_legacy": {
                "base_url": self.assetpay_legacy.url,
                "api_key": credentials.legacy_api_key,
                "authorization": "raw",
                "verified": "true",
            },
            "skinsback": {
                "base_url": self.skinsback.url,
                "client_id": credentials.skinsback_client_id,
                "client_secret": credentials.skinsback_client_secret,
                "currency": "rub",
            },
            "mannco": {
                "base_url": self.mannco.url,
                "api_key": credentials.mannco_api_key,
                "resend_parameter": self.mannco.resend_parameter,
                "per_user_paths": str(self.per_user_paths).lower(),
            },
        }
