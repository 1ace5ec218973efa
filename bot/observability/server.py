"""Serves metrics and health over HTTP, to machines that watch."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from bot.observability.address import AddressUnusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_READS_WITHIN = 2.0
"""Seconds that the database has for the one reading of a health check."""

_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Health:
    """What a start of work depends on; each is true where it is well, ``detail`` says more where it is not."""

    gateway: bool
    database: bool
    acknowledgements: bool
    detail: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether an interaction would be answered now."""
        return self.gateway and self.database and self.acknowledgements


class Watched(Protocol):
    """What is served."""

    async def metrics(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        ...

    async def health(self) -> Health:
        """Return how it is now."""
        ...


@asynccontextmanager
async def listening(watched: Watched, host: str, port: int) -> AsyncIterator[int]:
    """Serve /metrics, /healthz and /readyz and give the port; AddressUnusable where it cannot be had."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=await watched.metrics(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def alive(_request: web.Request) -> web.Response:
        # Whether the process is worth keeping: the loop turns, and the database answers. Discord's being away is no
        # reason to be restarted.
        health = await _looked_at(watched)
        return _answer(health, is_well=health.database)

    async def ready(_request: web.Request) -> web.Response:
        health = await _looked_at(watched)
        return _answer(health, is_well=health.is_ready)

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.get("/healthz", alive), web.get("/readyz", ready)])
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise AddressUnusable(
                "observability.listen", f"{host}:{port}", error.strerror or type(error).__name__
            ) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _looked_at(watched: Watched) -> Health:
    try:
        async with asyncio.timeout(_READS_WITHIN):
            return await watched.health()
    except TimeoutError:
        return Health(gateway=False, database=False, acknowledgements=False, detail="no answer in time")


def _answer(health: Health, *, is_well: bool) -> web.Response:
    body = json.dumps({"ok": is_well, **asdict(health)})
    return web.Response(
        text=body,
        status=200 if is_well else _UNAVAILABLE,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
