"""Listens to the requests that go to Discord: how they are answered, and when an interaction is acknowledged."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLBACK = re.compile(r"/interactions/(\d{1,20})/[^/]+/callback")
_REDIRECT = 300


class DiscordRequests:
    """A trace for discord.py's own session. It keeps no address: those of interactions hold tokens.

    ``on_answer`` is told the method and the status of each request, 0 where no answer came.
    """

    def __init__(self, *, on_answer: Callable[[str, int], None] | None = None) -> None:
        self._on_answer = on_answer
        self.on_acknowledged: Callable[[int], None] | None = None
        """Told the id of an interaction whose first answer Discord took."""
        self.last_acknowledgement: tuple[datetime, bool] | None = None
        """When an interaction was answered last, and whether Discord took it."""
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_end.append(self._ended)
        self.trace.on_request_exception.append(self._failed)

    async def _ended(self, _session: Any, _context: Any, ended: aiohttp.TraceRequestEndParams) -> None:
        self._note(ended.method, ended.url.raw_path, ended.response.status)

    async def _failed(self, _session: Any, _context: Any, failed: aiohttp.TraceRequestExceptionParams) -> None:
        self._note(failed.method, failed.url.raw_path, 0)

    def _note(self, method: str, path: str, status: int) -> None:
        if self._on_answer is not None:
            self._on_answer(method, status)
        callback = _CALLBACK.search(path)
        if callback is None:
            return
        was_taken = 0 < status < _REDIRECT
        self.last_acknowledgement = (datetime.now(UTC), was_taken)
        if was_taken and self.on_acknowledged is not None:
            self.on_acknowledged(int(callback[1]))
