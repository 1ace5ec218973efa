"""Copies a desk to an empty database, of either engine, and compares the two before the copy counts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from bot.domain.audit import ChainReport
from bot.storage.errors import StorageError

TABLES = (
    "guilds",  # first: grants refer to them
    "grants",
    "links",
    "ended_links",
    "sign_ins",
    "sign_in_nonces",
    "resends",
    "snapshots",
    "pseudonyms",
    "audit",
    "removed_views",
    "command_syncs",
    "watches",
    "notes",
    "error_references",
    "desk",
)

NUMBERED = ("resends", "audit", "watches", "notes")
"""The tables whose ids are given out once, and never again."""

LEFT_OUT = {
    "skindesk_migrations": "the target has the newest schema by its own migrations",
    "sequences": "the last ids are set by way of NUMBERED",
    "sqlite_sequence": "the same, of SQLite",
    "workers": "the processes of now",
    "duties": "what the processes of now do",
    "interaction_claims": "what the processes of now answer",
    "provider_calls": "calls of the last minute, counted again from the first",
    "provider_pauses": "the same, of limits that a provider told",
    "identify_slots": "the same, of Discord",
    "desk.backed_up_at": "a backup of the one is no backup of the other",
    "error_references.rowid": "the order of saving, which the order of copying gives again",
    "desk.moved_to": "says that a database is not the desk's any more, and the target is",
}
"""The tables and columns that are not copied, with the reason."""

_OPEN = """
SELECT state, count(*) FROM resends WHERE state IN ('pending', 'approved', 'sending', 'unknown')
GROUP BY state ORDER BY state
"""

_IDENTITY = "SELECT database_id FROM desk"

Row = tuple[Any, ...]


class Cursor(Protocol):
    """The result of a statement of either engine's library."""

    @property
    def description(self) -> Sequence[Any] | None:
        """The columns; the name of each is its first field."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows."""
        ...


class Side(Protocol):
    """One of the two databases, in a transaction of its own that no other process can write beside.

    ``name`` is for people.
    """

    name: str

    def execute(self, sql: str, /) -> Cursor:
        """Run a statement without parameters."""
        ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the rows, in the order of saving if there is one; a table can be larger than the memory."""
        ...

    def last_ids(self) -> Mapping[str, int]:
        """Return the last id ever given out in each table of NUMBERED."""
        ...


class Source(Side, Protocol):
    """The desk's database until now."""

    def mark(self, to: str) -> None:
        """Write that the desk has moved, and commit that: no start uses this database any more."""
        ...

    def moved_to(self) -> str | None:
        """Return what :meth:`mark` wrote, None if it has not been called."""
        ...


class Target(Side, Protocol):
    """The desk's database from now on."""

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert rows as they are."""
        ...

    def set_last_ids(self, ids: Mapping[str, int]) -> None:
        """Give out higher ids than these from now on."""
        ...

    def chain(self) -> ChainReport:
        """Check the audit log."""
        ...

    def commit(self, mark: Callable[[], None]) -> None:
        """Call ``mark`` when all else is done, and commit."""
        ...


class TargetNotEmpty(StorageError):
    """The target holds data in ``tables``. ``is_moved`` if it is this desk's, because the move was finished before."""

    def __init__(self, name: str, tables: Sequence[str], *, is_moved: bool) -> None:
        super().__init__(f"{name}: {', '.join(tables)}")
        self.name = name
        self.tables = tables
        self.is_moved = is_moved


class SourceMoved(StorageError):
    """The desk has moved from ``name`` to another database, ``to``."""

    def __init__(self, name: str, to: str) -> None:
        super().__init__(f"{name}: {to}")
        self.name = name
        self.to = to


class CopyDiffers(StorageError):
    """The copy is not the same; it was rolled back. ``differences`` are for people."""

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__("; ".join(differences))
        self.differences = differences


@dataclass(frozen=True, slots=True)
class Transferred:
    """What was copied: the rows of each table, the audit log as checked at the target, open requests by state."""

    rows: Mapping[str, int]
    chain: ChainReport
    open_requests: Mapping[str, int]


@dataclass(slots=True)
class _Tally:
    """The number of a table's rows and the sum of their digests: their order does not count."""

    rows: int = 0
    digest: int = 0

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Count rows as they pass."""
        for row in rows:
            self.rows += 1
            self.digest += int.from_bytes(sha256(repr(row).encode()).digest())
            yield row


def transfer(source: Source, target: Target) -> Transferred:
    """Copy every table, compare both sides, mark the source and commit the target. Both keep their state on an error.

    The source is marked before the copy counts, so that at no moment both can be started. A kill in between leaves a
    marked source and an empty target; the next transfer to the same target finishes it.
    """
    _require_empty(source, target)
    target.execute("DELETE FROM desk")
    copied: dict[str, _Tally] = {}
    for table in TABLES:
        columns = columns_of(source, table)
        copied[table] = _Tally()
        target.add(table, columns, copied[table].of(source.rows(table, columns)))
    target.set_last_ids(source.last_ids())
    chain = target.chain()
    if differences := [*_differences(source, target, copied), *_faults(chain)]:
        raise CopyDiffers(differences)
    open_requests = dict(target.execute(_OPEN).fetchall())
    target.commit(partial(source.mark, target.name))
    return Transferred({table: tally.rows for table, tally in copied.items()}, chain, open_requests)


def columns_of(side: Side, table: str) -> tuple[str, ...]:
    """Return the columns of a table that are copied."""
    names = (column[0] for column in side.execute(f"SELECT * FROM {table} LIMIT 0").description or ())  # noqa: S608 -- of TABLES
    return tuple(name for name in names if f"{table}.{name}" not in LEFT_OUT)


def _require_empty(source: Source, target: Target) -> None:
    to = source.moved_to()
    counts = {table: target.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES}  # noqa: S608 -- the same
    filled = [f"{table} ({count})" for table, count in counts.items() if count and table != "desk"]
    is_same = source.execute(_IDENTITY).fetchall() == target.execute(_IDENTITY).fetchall()
    if to is not None and to != target.name:
        raise SourceMoved(source.name, to)
    if filled:
        raise TargetNotEmpty(target.name, filled, is_moved=is_same and to is not None)


def _differences(source: Source, target: Target, copied: Mapping[str, _Tally]) -> Iterator[str]:
    for table, tally in copied.items():
        found = _Tally()
        for _ in found.of(target.rows(table, columns_of(source, table))):
            pass
        if found != tally:
            yield f"{table}: {tally.rows} rows were read, {found.rows} are in the copy, and they are not the same"
    if source.last_ids() != target.last_ids():
        yield f"last ids: {dict(source.last_ids())} there, {dict(target.last_ids())} in the copy"


def _faults(chain: ChainReport) -> Iterator[str]:
    if chain.fault is not None:
        yield f"row {chain.fault.number} of the audit log is not as it was written ({chain.fault.what})"
