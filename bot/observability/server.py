"""Serves metrics and health over HTTP to monitoring systems."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from cachetools import TTLCache

from bot.http.address import is_private_name
from bot.http.server import Site, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_HEALTH_WITHIN = 5.0
"""Seconds for one health check; a probe of the database ends before."""

CONNECTIONS = 32

_METRICS_KEPT_FOR = 1.0
"""Seconds: writing them takes some milliseconds of the event loop, whoever asks and how often."""

_HEADERS = {"Cache-Control": "no-store", "Server": "SkinDesk", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Health:
    """The parts that handling an interaction depends on; ``detail`` names the faults, and is for people.

    ``gateway`` is whether all ``shards`` are connected; ``shards_down`` are those that are not.
    """

    gateway: bool
    database: bool
    acknowledgements: bool
    database_fault: str | None = None
    shards: int = 0
    shards_down: tuple[int, ...] = ()
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
    recent: TTLCache[str, bytes] = TTLCache(1, _METRICS_KEPT_FOR)
    reading = asyncio.Lock()

    async def measured() -> web.Response:
        async with reading:
            text = recent.get("")
            if text is None:
                text = recent[""] = await metrics()
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})

    async def checked() -> Health:
        try:
            async with asyncio.timeout(_HEALTH_WITHIN):
                return await health()
        except TimeoutError:
            return Health(gateway=False, database=False, acknowledgements=False, detail="no answer in time")

    async def alive() -> web.Response:
        found = await checked()
        return _report(found, is_ok=found.database)  # an outage of Discord is no reason to restart the process

    async def ready() -> web.Response:
        found = await checked()
        return _report(found, is_ok=found.is_ready)

    answers = {"/metrics": measured, "/healthz": alive, "/readyz": ready}

    async def answer(request: web.BaseRequest) -> web.Response:
        make = answers.get(request.path)
        if make is None:
            return _plain(HTTPStatus.NOT_FOUND)
        return await make() if request.method in ("GET", "HEAD") else _plain(HTTPStatus.METHOD_NOT_ALLOWED)

    site = Site(
        answer, failed=_plain, accepts=partial(is_private_name, listen=host), connections=CONNECTIONS, headers=_HEADERS
    )
    async with served(site, setting="observability.listen", address=(host, port)) as bound:
        yield bound


def _report(health: Health, *, is_ok: bool) -> web.Response:
    return web.json_response({"ok": is_ok, **asdict(health)}, status=200 if is_ok else 503)


def _plain(status: HTTPStatus, _request: web.BaseRequest | None = None) -> web.Response:
    return web.Response(text=f"{status.phrase}\n", status=status)
