"""The HTTP server: every answer, even to a malformed request, has the same headers and no log line."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from bot.observability.address import AddressUnusable
from bot.web import messages
from bot.web.page import STYLE_HASH, Page

_log = logging.getLogger(__name__)

Site = Callable[[web.BaseRequest], Awaitable[Page]]

_STOP_WITHIN = 0.2
"""Seconds for answers in progress at the end; the service has waited for sign-ins before."""

CONNECTIONS = 256
"""Connections at once; more are dropped, so that open connections cannot use up all file handles."""

_IDLE = 30.0
_LINE = 8190
_BACKLOG = 64
_ONE_YEAR = 31_536_000

_SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Server": "SkinDesk",  # aiohttp would send its version and Python's
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

# aiohttp logs request lines, which contain tokens.
_silent = logging.getLogger("bot.web.silent")
_silent.setLevel(logging.CRITICAL + 1)


def security_headers(*, form_origin: str, https: bool) -> dict[str, str]:
    """Return the headers of every answer. Forms may lead to ``form_origin`` too, because browsers check redirects."""
    policy = (
        f"default-src 'none'; style-src '{STYLE_HASH}'; form-action 'self' {form_origin}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    transport_security = {"Strict-Transport-Security": f"max-age={_ONE_YEAR}"} if https else {}
    return {**_SECURITY_HEADERS, "Content-Security-Policy": policy, **transport_security}


class _Connection(web.RequestHandler):
    """Answers malformed requests like all others."""

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
        """Accept the connection, or drop it if there are too many."""
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
        """Answer without quoting the request."""
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out already")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request failed error=%s", type(exc).__name__)
        response = _response(messages.FAILED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else messages.NOT_UNDERSTOOD)
        response.headers.update(self._headers)
        response.force_close()
        return response


class _Server(web.Server):
    """Creates our own connections."""

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
    """Serve ``site``, with ``headers`` added to every answer. Raise AddressUnusable if it cannot listen.

    ``listening`` is a socket that is bound to the address already.
    """

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            page = await site(request)
        except Exception:  # noqa: BLE001 -- a browser is always answered
            _log.exception("page failed")  # without the request: it may contain a token
            page = messages.FAILED
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
