"""Reads the whole audit log and finds the first row that is not as it was written."""

import json
import sqlite3
from collections.abc import Mapping

from bot.domain.audit import ChainFault, ChainReport, PseudonymKind
from bot.storage.audit.rows import BEFORE_FIRST, PSEUDONYM, SALT_BYTES, Columns, digest_of, mentions, pseudonym_of

_END = """
SELECT coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'audit'), 0), coalesce(max(id), 0) FROM audit
"""

# A damaged file may hold any value anywhere: texts are read as bytes, and types are compared. NOT INDEXED: the rows are
# checked, not the copies of their columns in an index.
_ROWS = """
SELECT id, digest,
    typeof(guild_id) || typeof(at) || typeof(actor) || typeof(action) || typeof(subject) || typeof(detail)
        || typeof(digest),
    guild_id, at, CAST(actor AS BLOB), CAST(action AS BLOB), CAST(subject AS BLOB), CAST(detail AS BLOB)
FROM audit NOT INDEXED ORDER BY id
"""

_TYPES = frozenset({f"integerinteger{actor}texttexttextblob" for actor in ("text", "null")})

_PSEUDONYMS = """
SELECT guild_id, CAST(pseudonym AS BLOB), CAST(kind AS BLOB), CAST(value AS BLOB), CAST(salt AS BLOB)
FROM pseudonyms NOT INDEXED
"""

_Kinds = Mapping[tuple[int, str], PseudonymKind]


def check(connection: sqlite3.Connection) -> ChainReport:
    """Check the log and the pseudonyms as they are now. That a user or an account was erased is not a fault."""
    connection.execute("BEGIN")
    try:
        given, end = connection.execute(_END).fetchone()
        rows, number, what = _first_fault(connection, _kinds(connection))
        if what is None and given != end:
            number, what = (end + 1, "cut_off") if given > end else (end, "sequence")
    except sqlite3.DatabaseError:
        return ChainReport(0, ChainFault(0, "unreadable", 0))
    finally:
        connection.rollback()
    return ChainReport(rows, None if what is None else ChainFault(number, what, max(end - number, 0)))


def _first_fault(connection: sqlite3.Connection, kinds: _Kinds | None) -> tuple[int, int, str | None]:
    """Return the count of sound rows, then the number and the kind of the first fault."""
    rows, last, digest = 0, 0, BEFORE_FIRST
    try:
        for number, stored, types, *values in connection.execute(_ROWS):
            if number > last + 1:
                return rows, last + 1, "missing"
            columns = _columns(types, values)
            if columns is None:
                return rows, number, "unreadable"
            digest = digest_of(digest, number, columns)
            if digest != stored:
                return rows, number, "changed"
            if kinds is not None and not _are_accepted(columns, kinds):
                return rows, number, "pseudonym"
            rows, last = rows + 1, number
    except sqlite3.DatabaseError:
        return rows, last + 1, "unreadable"
    return rows, 0, "pseudonym" if kinds is None else None


def _kinds(connection: sqlite3.Connection) -> _Kinds | None:
    """Return the kind of each pseudonym; None if one is not proven by its row."""
    kinds: dict[tuple[int, str], PseudonymKind] = {}
    try:
        for guild_id, pseudonym, kind, value, salt in connection.execute(_PSEUDONYMS):
            proven = pseudonym_of(salt, guild_id, kind.decode(), value.decode())
            if proven != pseudonym.decode() or len(salt) != SALT_BYTES:
                return None
            kinds[guild_id, proven] = PseudonymKind(kind.decode())
    except (AttributeError, TypeError, ValueError, sqlite3.DatabaseError):
        return None
    return kinds


def _columns(types: str, values: list[int | bytes | None]) -> Columns | None:
    """Return a row's values; None if SkinDesk cannot have written them."""
    if types not in _TYPES:
        return None
    try:
        return Columns(*[value.decode() if isinstance(value, bytes) else value for value in values])  # type: ignore[arg-type]
    except UnicodeDecodeError:
        return None


def _are_accepted(columns: Columns, kinds: _Kinds) -> bool:
    """Return whether each pseudonym in a row is one of the right kind. Only staff cannot have been erased."""
    try:
        found = list(mentions(columns.action, columns.subject, columns.actor, json.loads(columns.detail)))
    except (TypeError, ValueError):
        return False
    return all(
        PSEUDONYM.fullmatch(mention.pseudonym)
        and kinds.get((columns.guild_id, mention.pseudonym), mention.kind) is mention.kind
        and (mention.kind is not PseudonymKind.STAFF or (columns.guild_id, mention.pseudonym) in kinds)
        for mention in found
    )
