"""What every simulated provider has: a loopback server that remembers what it was asked, and programmable faults."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bot.demo.providers.faults import Act, Fault
    from bot.demo.world import World

_HOST = "127.0.0.1"
_REMEMBERED = 1000
_STOP_WITHIN = 0.2  # seconds that a hanging request is waited for, twice


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived. Only method and path are printed: the rest holds tokens and keys."""

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Refused(Exception):
    """The request is answered with ``response``, an error in the provider's own form."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


class SimulatedServer(ABC):
    """One provider on a loopback port; start it with ``async with`` or :meth:`start`.

    ``faults`` are used up one per request, in order; ``asked`` and ``calls`` (by method and path) tell what arrived,
    also where a fault swallowed it. ``requests_per_minute`` makes the server refuse what is above, in any 60 s.
    """

    def __init__(self, world: World, *, requests_per_minute: int | None = None) -> None:
        self.world = world
        self.requests_per_minute = requests_per_minute
        self.faults: deque[Fault] = deque()
        self.asked: deque[Asked] = deque(maxlen=_REMEMBERED)
        self.calls: Counter[str] = Counter()
        self.port = 0
        self._arrival = asyncio.Event()
        self._accepted_at: deque[datetime] = deque()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://{_HOST}:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on ``port``, on the same as before where it is 0, on a free one where there was none."""
        application = web.Application(middlewares=[self._handle])
        application.add_routes([*self._routes(), web.route("*", "/{rest:.*}", self._no_such_path)])
        # No access log: request lines hold trade tokens.
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=_STOP_WITHIN)
        await runner.setup()
        try:
            await web.TCPSite(runner, _HOST, port or self.port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and drop every connection, hanging requests too. Starting again is possible."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def called(self, call: str, times: int = 1) -> None:
        """Wait until ``call`` (a method and a path, as in ``calls``) has arrived so many times."""
        while self.calls[call] < times:
            await self._arrival.wait()

    @web.middleware
    async def _handle(self, request: web.Request, handler: Act) -> web.StreamResponse:
        """Note the request, then answer it: over the limit, with the next fault, or with ``handler``."""

        async def act(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as refused:
                return refused.response

        self._note(request)
        if not self._has_room():
            return self._too_many_requests()
        if self.faults:
            return await self.faults.popleft()(request, act)
        return await act(request)

    @abstractmethod
    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the provider's paths."""

    @abstractmethod
    async def _no_such_path(self, request: web.Request) -> web.StreamResponse:
        """Answer a path or method that the provider does not have."""

    @abstractmethod
    def _too_many_requests(self) -> web.StreamResponse:
        """Answer a request above the limit."""

    def _note(self, request: web.Request) -> None:
        self.asked.append(Asked(request.method, request.path, dict(request.query), dict(request.headers)))
        self.calls[f"{request.method} {request.path}"] += 1
        self._arrival.set()
        self._arrival = asyncio.Event()

    def _has_room(self) -> bool:
        if self.requests_per_minute is None:
            return True
        now = self.world.now()
        while self._accepted_at and now - self._accepted_at[0] >= timedelta(minutes=1):
            self._accepted_at.popleft()
        if len(self._accepted_at) >= self.requests_per_minute:
            return False
        self._accepted_at.append(now)
        return True
