"""Faults of a provider's answer on the wire.

A fault wraps one request: ``await fault(request, act)``; ``await act(request)`` is the server's normal response.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Act], Awaitable[web.StreamResponse]]

_HTML = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


def html_page(status: int = 200) -> web.Response:
    """Return a proxy's page instead of a provider's response."""
    return web.Response(status=status, text=_HTML, content_type="text/html")


async def never() -> web.Response:
    """Wait until the client gives up or the server stops."""
    await asyncio.Event().wait()
    return web.Response()


def cut_off(request: web.Request) -> web.Response:
    """Close the connection; the returned response is not sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def lost_before(request: web.Request, act: Act) -> web.StreamResponse:  # noqa: ARG001 -- a Fault's form
    """Do nothing and close the connection."""
    return cut_off(request)


async def lost_after(request: web.Request, act: Act) -> web.StreamResponse:
    """Act, then close the connection without a response."""
    await act(request)
    return cut_off(request)


async def hang(request: web.Request, act: Act) -> web.StreamResponse:  # noqa: ARG001 -- a Fault's form
    """Do nothing and never respond."""
    return await never()


async def hang_after(request: web.Request, act: Act) -> web.StreamResponse:
    """Act and never respond."""
    await act(request)
    return await never()


async def half(request: web.Request, act: Act) -> web.StreamResponse:
    """Act, send half of the response and close the connection."""
    response = await act(request)
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    headers = {"Content-Type": response.headers["Content-Type"], "Content-Length": str(len(body))}
    partial = web.StreamResponse(status=response.status, headers=headers)
    await partial.prepare(request)
    await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()  # sends what is written, then ends
    return partial


def html(status: int = 200) -> Fault:
    """Respond with a proxy's page."""
    return answer(status, _HTML.encode(), content_type="text/html")


def answer(
    status: int, body: bytes, *, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Fault:
    """Respond with exactly this, without acting."""

    async def fault(request: web.Request, act: Act) -> web.StreamResponse:  # noqa: ARG001 -- a Fault's form
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)

    return fault


def redirect(to: str) -> Fault:
    """Redirect."""
    return answer(302, b"", headers={"Location": to})


def throttled(*, retry_after: str | None = None) -> Fault:
    """Respond with 429 as a proxy does, without the provider's envelope."""
    return answer(
        429, b"slow down", content_type="text/plain", headers={"Retry-After": retry_after} if retry_after else {}
    )


def oversized(size: int, *, compressed: bool = False) -> Fault:
    """Respond with a JSON list of ``size`` bytes of blanks, ``compressed`` with gzip."""
    body = b"[" + b" " * (size - 2) + b"]"
    if compressed:
        return answer(200, gzip.compress(body), headers={"Content-Encoding": "gzip"})
    return answer(200, body)


class Gate:
    """Holds one request until :meth:`open`, or with ``after`` only its response."""

    def __init__(self, *, after: bool = False) -> None:
        self.reached = asyncio.Event()
        self._opened = asyncio.Event()
        self._after = after

    def open(self) -> None:
        """Release the request or its response."""
        self._opened.set()

    async def __call__(self, request: web.Request, act: Act) -> web.StreamResponse:
        """Hold the request."""
        response = await act(request) if self._after else None
        self.reached.set()
        await self._opened.wait()
        return response or await act(request)
