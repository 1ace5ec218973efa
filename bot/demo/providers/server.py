"""The base of all simulated services: a loopback server with a request log and programmable faults."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from bot.demo.providers.faults import Act, Fault
from bot.demo.world import World

_HOST = "127.0.0.1"
_MAX_LOGGED = 1000
_SHUTDOWN_TIMEOUT = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived. The repr has no query and headers, because they contain tokens and keys."""

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Refused(Exception):
    """Answers the request with ``response``, an error in the provider's own form."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


class SimulatedServer(ABC):
    """A simulated service on a loopback port; start it with ``async with`` or :meth:`start`.

    Each of ``faults`` applies to one request, in order. ``asked`` and ``calls`` (by method and path) log all requests,
    including those that met a fault.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: deque[Fault] = deque()
        self.asked: deque[Asked] = deque(maxlen=_MAX_LOGGED)
        self.calls: Counter[str] = Counter()
        self.port = 0
        self._arrival = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://{_HOST}:{self.port}"

    async def start(self) -> None:
        """Listen on a free port; after :meth:`stop`, on the same port again."""
        application = web.Application(middlewares=[self._handle])
        application.add_routes(self._routes())
        # No access log: request lines contain trade tokens.
        runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_TIMEOUT
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, _HOST, self.port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and drop every connection, also those of hanging requests."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def called(self, call: str, times: int = 1) -> None:
        """Wait until ``call`` (method and path, as in ``calls``) has arrived that many times."""
        while self.calls[call] < times:
            await self._arrival.wait()

    @web.middleware
    async def _handle(self, request: web.Request, handler: Act) -> web.StreamResponse:
        """Log the request, then answer it with the next fault or with ``handler``."""

        async def act(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
                return self._not_found()
            except Refused as refused:
                return refused.response

        self._log(request)
        if self.faults:
            return await self.faults.popleft()(request, act)
        return await act(request)

    @abstractmethod
    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the service's paths."""

    @abstractmethod
    def _not_found(self) -> web.Response:
        """Return the response for an unknown path or method."""

    def _log(self, request: web.Request) -> None:
        self.asked.append(Asked(request.method, request.path, dict(request.query), dict(request.headers)))
        self.calls[f"{request.method} {request.path}"] += 1
        self._arrival.set()
        self._arrival = asyncio.Event()
