"""Listens for browsers and answers every request, also what is none, with the same headers and without a log line."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from bot.observability.address import AddressUnusable
from bot.web import messages
from bot.web.page import Page

_log = logging.getLogger(__name__)

Site = Callable[[web.BaseRequest], Awaitable[Page]]
"""Answers a request."""

_STOP_WITHIN = 0.2
"""Seconds for answers under way at the very end; those that matter were waited for before."""

CONNECTIONS = 256
"""Connections at once: what comes beyond is dropped, so that nobody takes the program's file handles by holding on."""

_IDLE = 30.0
_LINE = 8190
_BACKLOG = 64

# aiohttp quotes requests in what it logs, and there are tokens in their first lines.
_silent = logging.getLogger("bot.web.silent")
_silent.setLevel(logging.CRITICAL + 1)


class _Connection(web.RequestHandler):
    """Answers what the parser refuses like everything else."""

    def __init__(self, manager: "_Server", headers: Mapping[str, str]) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            # aiohttp takes None for "no log", as its own AppRunner hands it in, though the annotation does not say so.
            logger=_silent,
            keepalive_timeout=_IDLE,
            max_line_size=_LINE,
            max_field_size=_LINE,
            lingering_time=1.0,
        )
        self._server = manager
        self._headers = headers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or drop it at once where there are too many."""
        super().connection_made(transport)
        if len(self._server.connections) > CONNECTIONS and isinstance(transport, asyncio.Transport):
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 -- it quotes the request
    ) -> web.StreamResponse:
        """Answer without a word of what came."""
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out already")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request failed error=%s", type(exc).__name__)
        response = _response(
            messages.failed() if status >= HTTPStatus.INTERNAL_SERVER_ERROR else messages.not_understood()
        )
        response.headers.update(self._headers)
        response.force_close()
        return response


class _Server(web.Server):
    """Makes connections of our own kind."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], headers: Mapping[str, str]
    ) -> None:
        super().__init__(handler)
        self._headers = headers

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._headers)


@asynccontextmanager
async def served(
    site: Site, *, headers: Mapping[str, str], address: tuple[str, int], listening: socket.socket | None = None
) -> AsyncIterator[None]:
    """Answer browsers by ``site`` until the end. ``headers`` are added to every answer.

    ``listening`` is a socket that has the address already. AddressUnusable where the address cannot be had.
    """

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            page = await site(request)
        except Exception:  # noqa: BLE001 -- a browser is always answered
            # Nothing of the request: there may be a token in it.
            _log.exception("page failed")
            page = messages.failed()
        response = _response(page)
        response.headers.update(headers)
        return response

    runner = web.ServerRunner(_Server(answer, headers), shutdown_timeout=_STOP_WITHIN)
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
            raise AddressUnusable("links.listen", "{}:{}".format(*address), reason) from error
        _log.info("sign-in page listening address=%s:%s", *address)
        yield
    finally:
        await runner.cleanup()


def _response(page: Page) -> web.Response:
    response = web.Response(text=page.html(), status=page.status, content_type="text/html", charset="utf-8")
    for name, value in page.headers.items():
        response.headers.add(name, value)
    return response
