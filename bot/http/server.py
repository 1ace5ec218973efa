"""An HTTP server with bounds: on connections, on the time of each step, and on the hosts that requests name.

If there are too many connections, the one that has kept SkinDesk waiting for longest is dropped: a request that has
arrived is always answered. Every answer, even to a malformed request, has the same headers and leaves no log line.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

from aiohttp import web

from bot.http.address import AddressUnusable

_log = logging.getLogger(__name__)

ARRIVES_WITHIN = 30.0
"""Seconds for a request's line and headers, from the connection or the last answer on. Idle time counts."""

_ANSWERED_WITHIN = 30.0
_TAKEN_WITHIN = 10.0
"""Seconds for the client to take an answer."""
_STOP_WITHIN = 0.2
"""Seconds for answers in progress at the end; the services have waited for their work before."""
_LINE = 8190
_HEADERS = 64
_BACKLOG = 64

# aiohttp logs request lines, which contain tokens.
_silent = logging.getLogger("bot.http.silent")
_silent.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Site:
    """What a server answers.

    ``failed`` makes the answer to a request that names a wrong host, is malformed, or fails. A malformed request has
    no headers.
    """

    answer: Callable[[web.BaseRequest], Awaitable[web.Response]]
    failed: Callable[[HTTPStatus, web.BaseRequest], web.Response]
    accepts: Callable[[str], bool]
    """Whether requests may name this host; prevents DNS rebinding."""
    connections: int
    """At once, so that open ones cannot use up all file handles."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers of every answer."""


class _Connection(web.RequestHandler):
    """Answers malformed requests like all others, and is dropped if its client keeps others from being served."""

    def __init__(self, server: "_Server", site: Site) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            # aiohttp takes None for "no log", as its own AppRunner hands it in, though the annotation does not say so.
            logger=_silent,
            keepalive_timeout=ARRIVES_WITHIN,
            max_line_size=_LINE,
            max_field_size=_LINE,
            max_headers=_HEADERS,
            lingering_time=1.0,
        )
        self._server = server
        self._site = site
        self._answering: web.BaseRequest | None = None
        self.is_dropped = False

    @property
    def waits_for_client(self) -> bool:
        """Whether the next step is the client's: to send a request or its body, or to take the answer."""
        return self._answering is None or not self._answering.content.is_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, if need be in place of another one."""
        super().connection_made(transport)
        self._server.make_room(self)

    def drop(self) -> None:
        """Close the connection at once."""
        self.is_dropped = True
        if self.transport is not None:
            self.transport.abort()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer a request, whatever happens."""
        self._answering = request
        try:
            if not self._site.accepts(request.headers.get("Host", "")):
                return self._with_headers(self._site.failed(HTTPStatus.MISDIRECTED_REQUEST, request))
            async with asyncio.timeout(_ANSWERED_WITHIN):
                return self._with_headers(await self._site.answer(request))
        except Exception:  # noqa: BLE001 -- a client is always answered
            _log.exception("request failed")  # without the request: it may contain a token
            return self._with_headers(self._site.failed(HTTPStatus.INTERNAL_SERVER_ERROR, request))
        finally:
            self._answering = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, or drop a client that does not take it."""
        try:
            async with asyncio.timeout(_TAKEN_WITHIN):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.drop()
            raise ConnectionResetError("answer not taken") from None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 -- it quotes the request
    ) -> web.StreamResponse:
        """Answer without quoting the request."""
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out already")
        is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if is_ours:
            _log.error("request failed error=%s", type(exc).__name__)
        status_shown = HTTPStatus.INTERNAL_SERVER_ERROR if is_ours else HTTPStatus.BAD_REQUEST
        response = self._site.failed(status_shown, request)
        response.force_close()
        return self._with_headers(response)

    def _with_headers(self, response: web.Response) -> web.Response:
        response.headers.update(self._site.headers)
        return response


async def _answer(request: web.BaseRequest) -> web.StreamResponse:
    return await cast(_Connection, request.protocol).answer(request)


class _Server(web.Server):
    """Creates our own connections, and keeps their number."""

    def __init__(self, site: Site) -> None:
        super().__init__(_answer)
        self._site = site

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._site)

    def make_room(self, newest: _Connection) -> None:
        """Drop a connection if there are too many: the oldest that waits for its client, or else the newest."""
        open_ones = [each for each in cast(list[_Connection], self.connections) if not each.is_dropped]
        if len(open_ones) > self._site.connections:
            next((each for each in open_ones if each.waits_for_client), newest).drop()


@asynccontextmanager
async def served(
    site: Site, *, setting: str, address: tuple[str, int], listening: socket.socket | None = None
) -> AsyncIterator[int]:
    """Serve ``site`` and yield the port. Raise AddressUnusable, for ``setting``, if it cannot listen.

    ``listening`` is a socket that is bound to the address already.
    """
    runner = web.ServerRunner(_Server(site), shutdown_timeout=_STOP_WITHIN)
    await runner.setup()
    try:
        place: web.BaseSite = (
            web.SockSite(runner, listening, backlog=_BACKLOG)
            if listening is not None
            else web.TCPSite(runner, *address, backlog=_BACKLOG)
        )
        try:
            await place.start()
        except (OSError, OverflowError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise AddressUnusable(setting, "{}:{}".format(*address), reason) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
