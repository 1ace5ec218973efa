"""Puts an error of the server outside of the running desk into a StorageError."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bot.storage.errors import ServerInUse, ServerUnreachable, ServerUnusable

_PASSING = ("08", "25006", "40", "53", "57")
"""Codes of what another attempt may not meet: connection, standby, conflict, no room or connections, shutdown."""


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Raise a StorageError for an error of the server. Its detail is left out: it could quote a row."""
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise ServerInUse(name, 1) from error
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error) or type(error).__name__
        if error.sqlstate is None or error.sqlstate.startswith(_PASSING):
            raise ServerUnreachable(name, reason) from error
        if isinstance(error, psycopg.errors.DataCorrupted | psycopg.errors.IndexCorrupted):
            reason = f"damaged: {reason}"
        raise ServerUnusable(name, reason) from error
