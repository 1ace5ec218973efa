"""Reads the whole audit log and finds the first row that is not as it was written."""

import json
from collections.abc import Iterator, Mapping
from heapq import merge
from typing import NamedTuple

from bot.domain.audit import VIEWS, VIEWS_KEPT_FOR, AuditAction, ChainFault, ChainReport, PseudonymKind
from bot.storage.audit.removal import Removal, RemovedView
from bot.storage.audit.rows import (
    BEFORE_FIRST,
    PSEUDONYM,
    SALT_BYTES,
    Columns,
    digest_of,
    mentions,
    pseudonym_of,
    view_digest,
)
from bot.storage.database import Connection

_END = (
    "SELECT coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'audit'), 0), coalesce(max(id), 0) FROM audit"
)

# A damaged file may hold any value anywhere: texts are read as bytes, and types are compared. NOT INDEXED: the rows are
# checked, not the copies of their columns in an index.
_ROWS = """
SELECT id, digest,
    typeof(guild_id) || typeof(at) || typeof(actor) || typeof(action) || typeof(subject) || typeof(detail)
        || typeof(digest) || typeof({salt}),
    {salt}, guild_id, at, CAST(actor AS BLOB), CAST(action AS BLOB), CAST(subject AS BLOB), CAST(detail AS BLOB)
FROM audit NOT INDEXED ORDER BY id
"""

_TYPES = frozenset(
    f"integerinteger{actor}texttexttextblob{salt}" for actor in ("text", "null") for salt in ("blob", "null")
)

_REMOVED = """
SELECT id, typeof(at) || typeof(content) || typeof(digest) || typeof(removal), at, content, digest, removal
FROM removed_views NOT INDEXED ORDER BY id
"""

_REMOVED_TYPES = "integerblobblobinteger"

_PSEUDONYMS = """
SELECT guild_id, CAST(pseudonym AS BLOB), CAST(kind AS BLOB), CAST(value AS BLOB), CAST(salt AS BLOB)
FROM pseudonyms NOT INDEXED
"""

_Kinds = Mapping[tuple[int, str], PseudonymKind]


class _Row(NamedTuple):
    """A row; ``columns`` is None if SkinDesk cannot have written it."""

    number: int
    digest: bytes
    salt: bytes | None
    columns: Columns | None


class _Left(NamedTuple):
    """What is left of a view; None if SkinDesk cannot have written it. ``removal`` is the row about its removal."""

    number: int
    view: RemovedView | None
    removal: int


class _Fault(Exception):
    """The first fault: at which row, and of which kind."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, what)
        self.number = number
        self.what = what


def check_chain(connection: Connection, *, unreadable: type[Exception], has_removal: bool) -> ChainReport:
    """Check the log and the pseudonyms in one transaction. That a user or an account was erased is not a fault.

    ``unreadable`` is the engine's error for damage; ``has_removal`` whether its schema lets views be removed.
    """
    chain = _Chain(unreadable)
    end = 0
    try:
        given, end = connection.execute(_END).fetchone()
        chain.check(connection, has_removal=has_removal)
        if given != end:
            raise _Fault(*((end + 1, "cut_off") if given > end else (end, "sequence")))  # noqa: TRY301 -- as the others
    except _Fault as fault:
        following = max(end - fault.number, 0)
        return ChainReport(chain.rows, ChainFault(fault.number, fault.what, following), chain.removed)
    except unreadable:
        return ChainReport(0, ChainFault(0, "unreadable", 0))
    return ChainReport(chain.rows, removed=chain.removed)


class _Chain:
    """The chain as far as it was followed: sound rows, removed views, the last number and digest."""

    def __init__(self, unreadable: type[Exception]) -> None:
        self._unreadable = unreadable
        self.rows = 0
        self.removed = 0
        self._last = 0
        self._digest = BEFORE_FIRST
        self._removals: dict[int, Removal] = {}
        """Removed views by the row about their removal, which comes later."""

    def check(self, connection: Connection, *, has_removal: bool) -> None:
        """Follow the chain to its end; raise the first fault."""
        kinds = self._kinds(connection)
        rows: Iterator[_Row | _Left] = _rows(connection, salt="salt" if has_removal else "NULL")
        left: Iterator[_Row | _Left] = _left(connection) if has_removal else iter(())
        try:
            for one in merge(rows, left, key=lambda one: one.number):
                if one.number > self._last + 1:
                    raise _Fault(self._last + 1, "missing")
                if one.number <= self._last:
                    raise _Fault(one.number, "changed")
                if isinstance(one, _Row):
                    self._add_row(one, kinds)
                else:
                    self._add_left(one)
                self._last = one.number
        except self._unreadable:
            raise _Fault(self._last + 1, "unreadable") from None
        if self._removals:
            raise _Fault(min(removal.first for removal in self._removals.values()), "removal")
        if kinds is None:
            raise _Fault(0, "pseudonym")

    def _kinds(self, connection: Connection) -> _Kinds | None:
        """Return the kind of each pseudonym; None if one is not proven by its row."""
        kinds: dict[tuple[int, str], PseudonymKind] = {}
        try:
            for guild_id, pseudonym, kind, value, salt in connection.execute(_PSEUDONYMS):
                proven = pseudonym_of(salt, guild_id, kind.decode(), value.decode())
                if proven != pseudonym.decode() or len(salt) != SALT_BYTES:
                    return None
                kinds[guild_id, proven] = PseudonymKind(kind.decode())
        except (AttributeError, TypeError, ValueError, self._unreadable):
            return None
        return kinds

    def _add_row(self, row: _Row, kinds: _Kinds | None) -> None:
        number, columns = row.number, row.columns
        if columns is None:
            raise _Fault(number, "unreadable")
        if digest_of(self._digest, number, columns, row.salt) != row.digest:
            raise _Fault(number, "changed")
        if columns.action == AuditAction.VIEWS_REMOVED and not self._is_true(number, columns):
            raise _Fault(number, "removal")
        if kinds is not None and not _are_accepted(columns, kinds):
            raise _Fault(number, "pseudonym")
        self.rows, self._digest = self.rows + 1, row.digest

    def _add_left(self, left: _Left) -> None:
        if left.view is None:
            raise _Fault(left.number, "unreadable")
        if view_digest(self._digest, left.number, left.view.at, left.view.content) != left.view.digest:
            raise _Fault(left.number, "changed")
        self._removals.setdefault(left.removal, Removal(left.number)).add(left.view)
        self.removed, self._digest = self.removed + 1, left.view.digest

    def _is_true(self, number: int, columns: Columns) -> bool:
        """Return whether views were removed as this row says, and none too early."""
        removal = self._removals.pop(number, None)
        if removal is None or removal.newest + VIEWS_KEPT_FOR.total_seconds() * 1000 > columns.at:
            return False
        return columns.detail == json.dumps(removal.detail())


def _rows(connection: Connection, *, salt: str) -> Iterator[_Row]:
    for number, digest, types, salted, *values in connection.execute(_ROWS.format(salt=salt)):
        columns = _columns(types, values)
        if salted is not None and columns is not None and columns.action not in VIEWS:
            columns = None
        yield _Row(number, digest, salted, columns)


def _left(connection: Connection) -> Iterator[_Left]:
    for number, types, at, content, digest, removal in connection.execute(_REMOVED):
        view = RemovedView(number, at, content, digest) if types == _REMOVED_TYPES else None
        yield _Left(number, view, removal)


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
