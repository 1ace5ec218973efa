"""The connection by which jobs write to the SQLite file."""

import sqlite3

from bot.storage.sqlite.guard import DatabaseGuard

BUSY_TIMEOUT = 0.1
"""Seconds that SQLite itself waits for another process's lock: that wait cannot be interrupted."""


class SqliteWriter:
    """A transaction is begun and committed only while the file is the one that was opened."""

    def __init__(self, connection: sqlite3.Connection, guard: DatabaseGuard) -> None:
        self.connection = connection
        self._guard = guard

    def begin(self) -> Exception | None:
        """Begin a transaction. Return the error if another process holds the lock: trying again may help."""
        self._guard.before_transaction()
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise
            return error
        return None

    def has_begun(self) -> bool:
        """Return whether a transaction is open."""
        return self.connection.in_transaction

    def commit(self) -> None:
        """Commit the transaction. DatabaseUnavailable if the file has been deleted or replaced since its beginning."""
        self.connection.execute("COMMIT")
        self._guard.after_commit()

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        self.connection.rollback()

    def interrupt(self) -> None:
        """Cancel the statement that runs; called from another thread."""
        self.connection.interrupt()

    def explained(self, error: BaseException, *, in_commit: bool = False) -> BaseException:
        """Return a DatabaseUnavailable for an error of the database, and any other error as it is."""
        return self._guard.explained(error, may_be_done=in_commit and not _is_unwritten(error))

    def on_failure(self) -> None:
        """Count a job that failed because of the database."""
        self._guard.write_failures += 1


def is_locked(error: BaseException) -> bool:
    """Return whether another process held the lock."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF == sqlite3.SQLITE_BUSY


def _is_unwritten(error: BaseException) -> bool:
    """Return whether a COMMIT failed in writing: its last page, which makes it count, is then not in the journal.

    If syncing failed, it may be there after a crash.
    """
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
