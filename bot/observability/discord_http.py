"""Observes the requests to Discord: their status, and whether Discord itself answers, and accepts answers."""

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from textwrap import shorten
from typing import Any

import aiohttp

_CALLBACK = re.compile(r"/interactions/\d{1,20}/[^/]+/callback")
_API = "/api/"
_JSON = "application/json"
_REDIRECT = 300
_LOGIN_TO_NETWORK = 511
_SERVER_ERROR = 500

_TITLE = re.compile(r"(?is)<title[^>]{0,200}>(.{1,400}?)</title>")
_CLOUDFLARE_ERROR = re.compile(r"(?i)\berror(?:\s+code)?:?\s+(1\d{3})\b")
_PAGE_BYTES = 16_384
_PAGE_WITHIN = 2.0
"""Seconds for reading the beginning of a page, only to name it in the log."""
_LONGEST_HINT = 80


class NotFromDiscord(aiohttp.ClientError):
    """A proxy, a login page of a network or Cloudflare answered instead of Discord's API, which speaks JSON.

    ``hint`` is a short part of the page for the log, ``retry_after`` the seconds it asks to wait.
    """

    def __init__(self, response: aiohttp.ClientResponse, hint: str) -> None:
        super().__init__(f"HTTP {response.status}")
        self.status = response.status
        self.hint = hint
        self.is_cloudflare = response.headers.get("Server", "").lower() == "cloudflare"
        self.is_redirected = bool(response.history)
        self.retry_after = retry_after(response)


class Attempts:
    """The requests that discord.py sends for one call: it repeats one that was limited or got no good answer."""

    may_have_arrived = False
    """Whether Discord may have carried one out although it seemed to fail. One that was limited it has not."""


_attempts: ContextVar[Attempts | None] = ContextVar("attempts", default=None)


@contextmanager
def noted(attempts: Attempts) -> Iterator[None]:
    """Note in ``attempts`` what becomes of the requests to Discord that this task sends inside."""
    before = _attempts.set(attempts)
    try:
        yield
    finally:
        _attempts.reset(before)


class DiscordRequests:
    """A trace for discord.py's HTTP session. It keeps no address: those of interactions contain tokens.

    ``on_answer`` is called with method and status of each request; the status is 0 if Discord did not answer. A request
    whose answer is not from Discord raises NotFromDiscord.
    """

    def __init__(self, *, on_answer: Callable[[str, int], None] | None = None) -> None:
        self._on_answer = on_answer
        self.last_acknowledgement: tuple[datetime, bool] | None = None
        """When an interaction was answered last, and whether Discord accepted it."""
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_end.append(self._ended)
        self.trace.on_request_exception.append(self._failed)

    async def _ended(self, _session: Any, _context: Any, ended: aiohttp.TraceRequestEndParams) -> None:
        if _is_foreign(ended.response):
            # Raised here, before discord.py reads a page as if it were an answer.
            raise NotFromDiscord(ended.response, await _hint(ended.response))
        self._note(ended.method, ended.url.raw_path, ended.response.status)

    async def _failed(self, _session: Any, _context: Any, failed: aiohttp.TraceRequestExceptionParams) -> None:
        self._note(failed.method, failed.url.raw_path, getattr(failed.exception, "status", 0))

    def _note(self, method: str, path: str, status: int) -> None:
        if (attempts := _attempts.get()) is not None and not 0 < status < _SERVER_ERROR:
            attempts.may_have_arrived = True
        if self._on_answer is not None:
            self._on_answer(method, status)
        if _CALLBACK.search(path) is not None:
            self.last_acknowledgement = (datetime.now(UTC), 0 < status < _REDIRECT)


def retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Return the seconds that a response asks to wait, if it does."""
    text = response.headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else None


def _is_foreign(response: aiohttp.ClientResponse) -> bool:
    """Return whether it is not Discord's API that answered; discord.py itself repeats requests that a server failed."""
    if response.history:
        return response.history[0].url.path.startswith(_API)
    if not response.url.path.startswith(_API):
        return False
    if response.headers.get("Content-Type", "").partition(";")[0].strip() == _JSON:
        return False
    if response.status < _REDIRECT:
        return response.status != 204 and response.content_length != 0  # noqa: PLR2004 -- No Content
    return response.status < _SERVER_ERROR or response.status == _LOGIN_TO_NETWORK


async def _hint(response: aiohttp.ClientResponse) -> str:
    """Return what names the page: Cloudflare's error number, and its title."""
    try:
        async with asyncio.timeout(_PAGE_WITHIN):
            page = (await response.content.read(_PAGE_BYTES)).decode("utf-8", "replace")
    except (TimeoutError, aiohttp.ClientError):
        return ""
    number, title = _CLOUDFLARE_ERROR.search(page), _TITLE.search(page)
    parts = [f"error {number[1]}"] if number else []
    parts += [f"“{shorten(html.unescape(title[1]), _LONGEST_HINT, placeholder='…')}”"] if title else []
    return ", ".join(parts)
