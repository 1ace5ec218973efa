"""Checks the audit log of a SQLite file."""

import sqlite3

from bot.domain.audit import ChainReport
from bot.storage.audit.check import check_chain
from bot.storage.sqlite.schema import version_of

_REMOVAL_SINCE = 6
"""The schema in which views can be removed."""


def check(connection: sqlite3.Connection) -> ChainReport:
    """Return what checking the log and the pseudonyms as they are now has found."""
    connection.execute("BEGIN")
    try:
        has_removal = version_of(connection) >= _REMOVAL_SINCE
        return check_chain(connection, unreadable=sqlite3.DatabaseError, has_removal=has_removal)
    finally:
        connection.rollback()
