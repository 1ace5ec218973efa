"""What a scrape reads of a running bot, each part with a guard of its own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from bot.domain.health import DatabaseFiles, DatabaseHealth, ProviderHealth, ResendBacklog, ShardHealth

_log = logging.getLogger(__name__)

T = TypeVar("T")

_READ_WITHIN = 2.0
"""Seconds for one reading; Prometheus waits ten for all of them by default."""


@dataclass(frozen=True, slots=True)
class Readings:
    """The state of a bot at one moment. None is what could not be read: its metrics are left out of the answer.

    ``last_backup`` is in seconds since 1970, 0 without one.
    """

    at: datetime
    guilds: int = 0
    shards: tuple[ShardHealth, ...] = ()
    providers: tuple[ProviderHealth, ...] = ()
    database: DatabaseHealth | None = None
    write_failures: int | None = None
    files: DatabaseFiles | None = None
    resends: ResendBacklog | None = None
    last_backup: float | None = None
    duties: Mapping[str, bool] = field(default_factory=dict)
    dropped_records: int = 0


class Reading(Generic[T]):
    """One reading of a scrape. It may fail or hang without the others, and there is one at a time."""

    def __init__(self, name: str, read: Callable[[], Awaitable[T]], on_failure: Callable[[str], None]) -> None:
        self._name = name
        self._read = read
        self._on_failure = on_failure
        self._running: asyncio.Future[T] | None = None
        self._fails = False

    async def read(self) -> T | None:
        """Return what is there now; None, counted, if that fails or takes more than two seconds."""
        if self._running is None:
            self._running = asyncio.ensure_future(self._read())
            self._running.add_done_callback(self._on_done)
        running = self._running
        await asyncio.wait({running}, timeout=_READ_WITHIN)
        if running.done() and not running.cancelled() and running.exception() is None:
            self._fails = False
            return running.result()
        self._on_failure(self._name)
        if not self._fails:
            error = type(running.exception()).__name__ if running.done() else "no answer in time"
            _log.warning("figure not read reading=%s error=%s", self._name, error)
        self._fails = True
        return None

    def _on_done(self, running: asyncio.Future[T]) -> None:
        self._running = None
        if not running.cancelled():
            running.exception()  # it is no surprise if no scrape waits for it any more
