"""All simulated providers together, each on its own loopback port."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from bot.demo.providers.assetpay import SimulatedAssetPay, SimulatedAssetPayLegacy
from bot.demo.providers.mannco import SimulatedMannco
from bot.demo.providers.skinsback import SimulatedSkinsBack

if TYPE_CHECKING:
    from bot.demo.world import World


class SimulatedProviders:
    """Runs the providers of one world: ``async with SimulatedProviders(world) as providers: …``.

    They listen on ``first_port`` and the three after it, or on free ports where it is 0. ``authorization`` is how
    AssetPay wants client tokens, ``resend_parameter`` what Mannco.store calls the trade to send again.
    """

    def __init__(
        self,
        world: World,
        *,
        first_port: int = 0,
        authorization: str = "raw",
        resend_parameter: str = "resend",
    ) -> None:
        self.world = world
        self.assetpay = SimulatedAssetPay(world, authorization=authorization)
        self.assetpay_legacy = SimulatedAssetPayLegacy(world, authorization=authorization)
        self.skinsback = SimulatedSkinsBack(world)
        self.mannco = SimulatedMannco(world, resend_parameter=resend_parameter)
        self._first_port = first_port
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            for number, server in enumerate((self.assetpay, self.assetpay_legacy, self.skinsback, self.mannco)):
                await server.start(self._first_port + number if self._first_port else 0)
                starting.push_async_callback(server.stop)
            self._running = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    @property
    def assetpay_url(self) -> str:
        """Stands for https://api.assetpay.gg."""
        return self.assetpay.url

    @property
    def assetpay_legacy_url(self) -> str:
        """Stands for https://api.assetpay.co."""
        return self.assetpay_legacy.url

    @property
    def skinsback_url(self) -> str:
        """Stands for https://skinsback.com/api.php."""
        return self.skinsback.url

    @property
    def mannco_url(self) -> str:
        """Stands for https://api.mannco.store."""
        return self.mannco.url

    def settings(self) -> dict[str, dict[str, str]]:
        """Return the ``[providers.…]`` tables of a configuration that uses them; the values hold credentials.

        They are those of a verified merchant, whose limits nobody reaches by hand.
        """
        credentials = self.world.credentials
        authorization = self.assetpay.authorization
        return {
            "assetpay": {"base_url": self.assetpay_url, "api_key": credentials.assetpay_api_key, "verified": "true"},
            "assetpay_client": {
                "base_url": self.assetpay_url,
                "api_key": credentials.assetpay_api_key,
                "authorization": authorization,
                "verified": "true",
            },
            "assetpay_legacy": {
                "base_url": self.assetpay_legacy_url,
                "api_key": credentials.legacy_api_key,
                "authorization": authorization,
                "verified": "true",
            },
            "skinsback": {
                "base_url": self.skinsback_url,
                "client_id": credentials.skinsback_client_id,
                "client_secret": credentials.skinsback_client_secret,
            },
            "mannco": {
                "base_url": self.mannco_url,
                "api_key": credentials.mannco_api_key,
                "resend_parameter": self.mannco.resend_parameter,
            },
        }
