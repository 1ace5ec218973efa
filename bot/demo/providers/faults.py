"""Ways in which a provider's answer goes wrong on the wire, for the demo and the tests.

A fault stands between the server and one request: ``await fault(request, act)``, where ``await act(request)`` is
what the server would have done and answered.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Act], Awaitable[web.StreamResponse]]

_HTML = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


def html_page(status: int = 200) -> web.Response:
    """Return a proxy's page, which is no answer of the provider."""
    return web.Response(status=status, text=_HTML, content_type="text/html")


async def never() -> web.Response:
    """Wait until the client gives up or the server stops."""
    await asyncio.Event().wait()
    return web.Response()


def cut_off(request: web.Request) -> web.Response:
    """Close the connection under the request; nothing of the returned response is sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def lost_before(request: web.Request, act: Act) -> web.StreamResponse:  # noqa: ARG001 -- a Fault's form
    """Close the connection without doing anything."""
    return cut_off(request)


async def lost_after(request: web.Request, act: Act) -> web.StreamResponse:
    """Do what was asked, then close the connection without an answer."""
    await act(request)
    return cut_off(request)


async def hang(request: web.Request, act: Act) -> web.StreamResponse:  # noqa: ARG001 -- a Fault's form
    """Never answer, and do nothing."""
    return await never()


async def hang_after(request: web.Request, act: Act) -> web.StreamResponse:
    """Do what was asked, and never answer."""
    await act(request)
    return await never()


async def half(request: web.Request, act: Act) -> web.StreamResponse:
    """Do what was asked, send half of the answer, and close the connection."""
    partial, body = _begun(await act(request))
    await partial.prepare(request)
    await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()  # sends what is written, then ends
    return partial


def drip(*, pause: float) -> Fault:
    """Send the answer byte by byte, with ``pause`` seconds between."""

    async def fault(request: web.Request, act: Act) -> web.StreamResponse:
        slow, body = _begun(await act(request))
        await slow.prepare(request)
        for byte in body:
            await slow.write(bytes((byte,)))
            await asyncio.sleep(pause)
        return slow

    return fault


def html(status: int = 200) -> Fault:
    """Answer with a proxy's page; nothing is done."""
    return answer(status, _HTML.encode(), content_type="text/html")


def answer(
    status: int, body: bytes, *, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Fault:
    """Answer with exactly this; nothing is done."""

    async def fault(request: web.Request, act: Act) -> web.StreamResponse:  # noqa: ARG001 -- a Fault's form
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)

    return fault


def redirect(to: str) -> Fault:
    """Point elsewhere."""
    return answer(302, b"", headers={"Location": to})


def throttled(*, retry_after: str | None = None) -> Fault:
    """Answer 429 as a proxy does, without the provider's envelope; ``retry_after`` is the header's value."""
    return answer(
        429, b"slow down", content_type="text/plain", headers={"Retry-After": retry_after} if retry_after else {}
    )


def oversized(size: int, *, compressed: bool = False) -> Fault:
    """Answer with ``size`` bytes of blanks in a JSON list; ``compressed`` sends it small, to grow at the reader."""
    body = b"[" + b" " * (size - 2) + b"]"
    if compressed:
        return answer(200, gzip.compress(body), headers={"Content-Encoding": "gzip"})
    return answer(200, body)


class Gate:
    """Holds one request until it is let through, so that a test decides the order of things.

    Wait for ``reached``, do what has to come first, then :meth:`open`. With ``after`` the server acts first and
    only its answer is held.
    """

    def __init__(self, *, after: bool = False) -> None:
        self.reached = asyncio.Event()
        self._opened = asyncio.Event()
        self._after = after

    def open(self) -> None:
        """Let the request, or its answer, through."""
        self._opened.set()

    async def __call__(self, request: web.Request, act: Act) -> web.StreamResponse:
        """Hold the request."""
        response = await act(request) if self._after else None
        self.reached.set()
        await self._opened.wait()
        return response or await act(request)


def _begun(response: web.StreamResponse) -> tuple[web.StreamResponse, bytes]:
    """Return a response that promises the whole body, and that body to send by hand."""
    body = response.body if isinstance(response, web.Response) else None
    data = body if isinstance(body, bytes) else b""
    headers = {"Content-Type": response.headers["Content-Type"], "Content-Length": str(len(data))}
    return web.StreamResponse(status=response.status, headers=headers), data
