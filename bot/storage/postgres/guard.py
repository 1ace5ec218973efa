"""Knows whether the PostgreSQL server can be used, and names the fault if not."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import psycopg_pool

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault, DatabaseHealth

_log = logging.getLogger(__name__)

PROBE_EVERY = 10.0
"""Seconds between two probes while all is well."""

_RETRY_FIRST, _RETRY_LAST = 0.5, 5.0
"""Seconds between two probes while the server is gone: the first pause, and the longest."""

_FAULTS = {
    "25P03": DatabaseFault.NO_ANSWER,  # the server has ended the transaction of this process, which hung
    "53100": DatabaseFault.FULL,
    "25006": DatabaseFault.READ_ONLY,  # a standby, or a server that was made read-only
    "58030": DatabaseFault.UNREADABLE,
    "XX001": DatabaseFault.DAMAGED,
    "XX002": DatabaseFault.DAMAGED,
    "3D000": DatabaseFault.MISSING,
    "42P01": DatabaseFault.MISSING,  # a table
}


class CommitUnknown(Exception):
    """The answer to COMMIT was lost, and whether it counted could not be found out in time."""


class PostgresGuard:
    """Remembers the last fault. While there is one, statements are refused at once, and only probes try the server."""

    def __init__(self) -> None:
        self._health = DatabaseHealth()
        self._probe: Callable[[], Awaitable[None]] | None = None
        self._probing: asyncio.Task[None] | None = None
        self._next_probe = 0.0
        self._pause = _RETRY_FIRST
        self.write_failures = 0
        """Write jobs that failed because of the database."""

    @property
    def health(self) -> DatabaseHealth:
        """What is known, without asking the server."""
        return self._health

    def begin(self, probe: Callable[[], Awaitable[None]]) -> None:
        """Use ``probe`` from now on."""
        self._probe = probe
        self._next_probe = time.monotonic() + PROBE_EVERY

    def end(self) -> None:
        """Probe no more."""
        self._probe = None

    def require_usable(self) -> None:
        """DatabaseUnavailable if a fault is known: a caller need not wait to hear the same."""
        if self._health.fault is not None:
            raise DatabaseUnavailable(self._health.fault)

    def explained(self, error: BaseException, *, may_be_done: bool = False) -> BaseException:
        """Return a DatabaseUnavailable for an error of the server, and any other error as it is."""
        fault = _fault_of(error)
        if fault is None:
            return error
        self._note(fault, error)
        return DatabaseUnavailable(fault, may_be_done=may_be_done)

    async def check(self) -> DatabaseHealth:
        """Probe the server if it is time to, and return what is known."""
        if self._probe is not None and self._probing is None and time.monotonic() >= self._next_probe:
            self._probing = asyncio.create_task(self._try(self._probe), name="database probe")
        if self._probing is not None:
            await asyncio.wait({self._probing}, timeout=PROBE_EVERY / 2)
        return self._health

    async def _try(self, probe: Callable[[], Awaitable[None]]) -> None:
        try:
            await probe()
        except Exception as error:  # noqa: BLE001 -- any failure is the finding
            self._note(_fault_of(error) or DatabaseFault.UNREADABLE, error)
            self._next_probe = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, _RETRY_LAST)
        else:
            self._note(None, None)
            self._next_probe = time.monotonic() + PROBE_EVERY
            self._pause = _RETRY_FIRST
        finally:
            self._probing = None

    def _note(self, fault: DatabaseFault | None, error: BaseException | None) -> None:
        before = self._health
        if fault is before.fault:
            return
        self._health = DatabaseHealth(fault, datetime.now(UTC) if fault else None)
        if fault is not None:
            self._next_probe = time.monotonic() + self._pause
            _log.error("database unavailable fault=%s error=%s", fault.value, type(error).__name__)
        elif before.since is not None:
            lasted = (datetime.now(UTC) - before.since).total_seconds()
            _log.info("database available again fault=%s seconds=%.0f", before.fault and before.fault.value, lasted)


def _fault_of(error: BaseException) -> DatabaseFault | None:
    """Return the fault that an error tells of; None if the statement is at fault."""
    if isinstance(error, psycopg_pool.PoolTimeout | CommitUnknown):
        return DatabaseFault.NO_ANSWER
    if not isinstance(error, psycopg.Error):
        return None
    known = _FAULTS.get(error.sqlstate or "")
    return known or (DatabaseFault.NO_ANSWER if isinstance(error, psycopg.OperationalError) else None)
