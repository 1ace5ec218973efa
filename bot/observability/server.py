"""Serves metrics and health over HTTP to monitoring systems."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.observability.address import AddressUnusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_HEALTH_WITHIN = 2.0
"""Seconds for one health check; the database may be locked."""


@dataclass(frozen=True, slots=True)
class Health:
    """The parts that handling an interaction depends on; ``detail`` names the faults."""

    gateway: bool
    database: bool
    acknowledgements: bool
    detail: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether an interaction would be answered now."""
        return self.gateway and self.database and self.acknowledgements


@asynccontextmanager
async def listening(
    metrics: Callable[[], Awaitable[bytes]], health: Callable[[], Awaitable[Health]], host: str, port: int
) -> AsyncIterator[int]:
    """Serve /metrics, /healthz and /readyz and yield the port. Raise AddressUnusable if it cannot listen."""

    async def measured(_request: web.Request) -> web.Response:
        return web.Response(body=await metrics(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def checked() -> Health:
        try:
            async with asyncio.timeout(_HEALTH_WITHIN):
                return await health()
        except TimeoutError:
            return Health(gateway=False, database=False, acknowledgements=False, detail="no answer in time")

    async def alive(_request: web.Request) -> web.Response:
        found = await checked()
        return _answer(found, is_ok=found.database)  # an outage of Discord is no reason to restart the process

    async def ready(_request: web.Request) -> web.Response:
        found = await checked()
        return _answer(found, is_ok=found.is_ready)

    application = web.Application()
    application.add_routes([web.get("/metrics", measured), web.get("/healthz", alive), web.get("/readyz", ready)])
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise AddressUnusable("observability.listen", f"{host}:{port}", reason) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _answer(health: Health, *, is_ok: bool) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.json_response({"ok": is_ok, **asdict(health)}, status=200 if is_ok else 503, headers=headers)
