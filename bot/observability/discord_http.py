"""Observes the requests to Discord: their status, and whether Discord accepts answers to interactions."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp

_CALLBACK = re.compile(r"/interactions/\d{1,20}/[^/]+/callback")
_REDIRECT = 300


class DiscordRequests:
    """A trace for discord.py's HTTP session. It keeps no address: those of interactions contain tokens.

    ``on_answer`` is called with method and status of each request; the status is 0 if Discord did not answer.
    """

    def __init__(self, *, on_answer: Callable[[str, int], None]) -> None:
        self._on_answer = on_answer
        self.last_acknowledgement: tuple[datetime, bool] | None = None
        """When an interaction was answered last, and whether Discord accepted it."""
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_end.append(self._ended)
        self.trace.on_request_exception.append(self._failed)

    async def _ended(self, _session: Any, _context: Any, ended: aiohttp.TraceRequestEndParams) -> None:
        self._note(ended.method, ended.url.raw_path, ended.response.status)

    async def _failed(self, _session: Any, _context: Any, failed: aiohttp.TraceRequestExceptionParams) -> None:
        self._note(failed.method, failed.url.raw_path, 0)

    def _note(self, method: str, path: str, status: int) -> None:
        self._on_answer(method, status)
        if _CALLBACK.search(path) is not None:
            self.last_acknowledgement = (datetime.now(UTC), 0 < status < _REDIRECT)
