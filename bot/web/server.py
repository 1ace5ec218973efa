"""Serves the pages of Steam sign-in over HTTP, with the same headers on every answer."""

import logging
import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from bot.http.server import Site, served
from bot.languages import current, in_language
from bot.web import messages
from bot.web.accept_language import language_of
from bot.web.page import STYLE_HASH, Page

_log = logging.getLogger(__name__)

CONNECTIONS = 256

_ONE_YEAR = 31_536_000

_SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "Server": "SkinDesk",  # aiohttp would send its version and Python's
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

_FAILED = {HTTPStatus.BAD_REQUEST: messages.NOT_UNDERSTOOD, HTTPStatus.MISDIRECTED_REQUEST: messages.WRONG_HOST}


class Pages(Protocol):
    """Answers requests with pages."""

    @property
    def hosts(self) -> Collection[str]:
        """The hosts that requests may name, in lower case."""

    async def __call__(self, request: web.BaseRequest, /) -> Page:
        """Answer a request."""


def security_headers(*, form_origin: str, https: bool) -> dict[str, str]:
    """Return the headers of every answer. Forms may lead to ``form_origin`` too, because browsers check redirects."""
    policy = (
        f"default-src 'none'; style-src '{STYLE_HASH}'; form-action 'self' {form_origin}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    transport_security = {"Strict-Transport-Security": f"max-age={_ONE_YEAR}"} if https else {}
    return {**_SECURITY_HEADERS, "Content-Security-Policy": policy, **transport_security}


@asynccontextmanager
async def pages_served(
    pages: Pages, *, headers: Mapping[str, str], address: tuple[str, int], listening: socket.socket | None = None
) -> AsyncIterator[None]:
    """Serve ``pages``, with ``headers`` added to every answer. Raise AddressUnusable if it cannot listen.

    ``listening`` is a socket that is bound to the address already.
    """

    async def answer(request: web.BaseRequest) -> web.Response:
        with in_language(language_of(request)):
            return _response(await pages(request))

    def failed(status: HTTPStatus, request: web.BaseRequest) -> web.Response:
        with in_language(language_of(request)):
            return _response(_FAILED.get(status, messages.FAILED)())

    site = Site(
        answer,
        failed=failed,
        accepts=lambda host: host.lower() in pages.hosts,
        connections=CONNECTIONS,
        headers=headers,
    )
    async with served(site, setting="links.listen", address=address, listening=listening):
        _log.info("sign-in page listening address=%s:%s", *address)
        yield


def _response(page: Page) -> web.Response:
    response = web.Response(text=page.html(), status=page.status, content_type="text/html", charset="utf-8")
    response.headers["Content-Language"] = current().code
    for name, value in page.headers.items():
        response.headers.add(name, value)
    return response
