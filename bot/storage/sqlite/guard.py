"""Watches the files of the open database, and names the fault if it cannot be used."""

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault, DatabaseHealth

_log = logging.getLogger(__name__)

PROBE_EVERY = 10.0
"""Seconds between two probes at least."""

ANSWERS_WITHIN = 4.0
"""Seconds that a probe may take, also if another program has the database locked."""

_LOCK_TIMEOUT = 0.1
"""Seconds that SQLite itself waits for a lock in reading."""

_SUFFIXES = ("", "-wal", "-shm")
"""The files of an open database: without its journal, what was committed last is lost at the next start."""

_FILE: TypeAlias = tuple[int, int]
"""Device and inode. The number of a deleted file is not used again while SQLite has it open."""

_FAULTS = {
    sqlite3.SQLITE_FULL: DatabaseFault.FULL,
    sqlite3.SQLITE_IOERR: DatabaseFault.UNREADABLE,
    sqlite3.SQLITE_CANTOPEN: DatabaseFault.UNREADABLE,
    sqlite3.SQLITE_CORRUPT: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_NOTADB: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_BUSY: DatabaseFault.NO_ANSWER,
    sqlite3.SQLITE_PROTOCOL: DatabaseFault.NO_ANSWER,
}
_FOR_GOOD = {DatabaseFault.DAMAGED, DatabaseFault.REPLACED}
"""What a probe has found: the content is wrong, and only a restart checks all of it."""

_STOPS_READING = {DatabaseFault.MISSING, DatabaseFault.REPLACED, DatabaseFault.DAMAGED}
"""Rights and links may be others in the file that counts."""


class DatabaseGuard:
    """Knows whether the database can be used.

    A comparison of the files with those that were opened takes some microseconds and precedes every transaction. A
    probe writes a row, moves it from the journal into the file, and reads it and a row of each table from there. If
    the file has changed since, it is read again before the next transaction: that is half a millisecond after each
    checkpoint, and it finds a copy that was written into the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[Path, _FILE] = {}
        self._of_files: DatabaseFault | None = None
        """A fault that the files show: it ends when they are as they were."""
        self._of_use: DatabaseFault | None = None
        """A fault that a probe or a statement met: it ends with the next probe that succeeds."""
        self._health = DatabaseHealth()
        self._changing = threading.Lock()
        self._run: Callable[[Callable[[sqlite3.Connection], None]], asyncio.Future[None]] | None = None
        self._probing: asyncio.Future[None] | None = None
        self._probed_at = -PROBE_EVERY
        self._changed_at = 0
        """When the file that was read last had been changed, as the file system has it."""
        self._written: tuple[int] | None = None
        """The row of the last probe."""
        self.is_rewriting = False
        """Whether the whole file is being rewritten: a probe would have to wait."""
        self.write_failures = 0
        """Write jobs that failed because of the database."""

    @property
    def health(self) -> DatabaseHealth:
        """What is known, without a look at the files."""
        return self._health

    def begin(self, run: Callable[[Callable[[sqlite3.Connection], None]], asyncio.Future[None]]) -> None:
        """Note the files that are open now; ``run`` runs a probe between two transactions."""
        self._files = {path: _file(path) for path in (Path(f"{self._path}{suffix}") for suffix in _SUFFIXES)}
        self._run = run

    def end(self) -> None:
        """Probe no more."""
        self._run = None

    # Before and after each use

    def before_transaction(self) -> None:
        """Compare the files, on the queue's thread; DatabaseUnavailable if nothing may be written, sqlite3.Error."""
        self._require_files(may_be_done=False)
        if self._written is not None and _changed_at(self._path) != self._changed_at:
            self._require_content()

    def after_commit(self) -> None:
        """Compare the files; DatabaseUnavailable if they were deleted or replaced since the transaction began."""
        self._require_files(may_be_done=True)

    def require_readable(self) -> None:
        """DatabaseUnavailable if it is known that nothing may be read."""
        if self._health.fault in _STOPS_READING:
            raise DatabaseUnavailable(self._health.fault)

    def explained(self, error: BaseException, *, may_be_done: bool = False) -> BaseException:
        """Return a DatabaseUnavailable for an error of the database, and any other error as it is."""
        if not isinstance(error, sqlite3.Error):
            return error
        self._compare()
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        fault = _FAULTS.get(code)
        if fault is not None:
            self._note(of_use=fault, error=error.sqlite_errorname)
        elif code == sqlite3.SQLITE_READONLY:  # the files show it, or a statement writes through a reader
            fault = self._of_files
        return error if fault is None else DatabaseUnavailable(self._of_files or fault, may_be_done=may_be_done)

    # Health

    async def check(self) -> DatabaseHealth:
        """Compare the files, probe the database if the last probe is old enough, and return what is known."""
        if self._run is None:
            return self._health
        self._compare()
        now = time.monotonic()
        is_due = now >= self._probed_at + PROBE_EVERY and not self.is_rewriting
        if self._of_files is None and self._probing is None and is_due:
            self._probed_at = now
            self._probing = asyncio.ensure_future(self._probe())
            self._probing.add_done_callback(self._on_probed)
        if self._probing is not None:
            left = self._probed_at + ANSWERS_WITHIN - time.monotonic()
            _, late = await asyncio.wait({self._probing}, timeout=max(left, 0.0))
            if late:
                self._note(of_use=self._of_use or DatabaseFault.NO_ANSWER)
        return self._health

    def _on_probed(self, probing: asyncio.Future[None]) -> None:
        self._probing = None
        if probing.cancelled():
            return
        error = probing.exception()
        if error is None:
            self._note(of_use=None)
        elif not isinstance(self.explained(error), DatabaseUnavailable):
            _log.error("database probe failed", exc_info=error)

    async def _probe(self) -> None:
        while (run := self._run) is not None:
            try:
                await run(self._write_and_read)
            except sqlite3.OperationalError as error:
                is_locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_locked or time.monotonic() > self._probed_at + ANSWERS_WITHIN:
                    raise
            else:
                return

    def _write_and_read(self, connection: sqlite3.Connection) -> None:
        """Write a row, and read it from the file as another program would."""
        self.before_transaction()
        if self._written is not None:
            self._require_content()
        written = (time.time_ns() // 1_000_000,)
        connection.execute("UPDATE desk SET probed_at = ?", written)
        self._written = written
        # Once all of the journal is in the file, a new connection reads the file.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._require_content()

    def _require_content(self) -> None:
        """Read the file; DatabaseUnavailable if it is not what the last probe wrote to, sqlite3.Error."""
        changed_at = _changed_at(self._path)
        with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=_LOCK_TIMEOUT)) as fresh:
            tables = [name for (name,) in fresh.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in tables:
                fresh.execute(f'SELECT * FROM "{table}" LIMIT 1').fetchone()  # noqa: S608 -- a name of the schema
            if "desk" in tables and fresh.execute("SELECT probed_at FROM desk").fetchone() == self._written:
                self._changed_at = changed_at
                return
        self._note(of_use=DatabaseFault.REPLACED)
        raise DatabaseUnavailable(DatabaseFault.REPLACED)

    # State

    def _require_files(self, *, may_be_done: bool) -> None:
        self._compare()
        fault = self._of_files or (self._of_use if self._of_use in _FOR_GOOD else None)
        if fault is not None:
            raise DatabaseUnavailable(fault, may_be_done=may_be_done)

    def _compare(self) -> None:
        found = self._fault_of_files()
        if found is not self._of_files:
            self._note(of_files=found)

    def _fault_of_files(self) -> DatabaseFault | None:
        for path, opened in self._files.items():
            try:
                if _file(path) != opened:
                    return DatabaseFault.REPLACED
            except (FileNotFoundError, NotADirectoryError):
                return DatabaseFault.MISSING
            except OSError:
                return DatabaseFault.UNREADABLE
        if not all(os.access(path, os.W_OK) for path in self._files):
            return DatabaseFault.READ_ONLY
        return None

    def _note(self, *, error: str | None = None, **found: DatabaseFault | None) -> None:
        with self._changing:
            if "of_files" in found:
                self._of_files = found["of_files"]
            if "of_use" in found and self._of_use not in _FOR_GOOD:
                self._of_use = found["of_use"]
            before, fault = self._health, self._of_files or self._of_use
            if fault is before.fault:
                return
            self._health = DatabaseHealth(fault, datetime.now(UTC) if fault else None)
        if fault is not None:
            _log.error("database unavailable fault=%s error=%s", fault.value, error)
        elif before.since is not None:
            lasted = (datetime.now(UTC) - before.since).total_seconds()
            _log.info("database available again fault=%s seconds=%.0f", before.fault and before.fault.value, lasted)


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # the comparison of the files says it
        return 0


def _file(path: Path) -> _FILE:
    found = path.stat()
    return found.st_dev, found.st_ino
