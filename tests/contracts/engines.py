"""The storage engines that the contract suites run on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from bot.domain.audit import ChainReport
from bot.storage import repositories
from bot.storage.database import Database
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.maintenance.inspection import inspect
from tests.contracts.samples import NOW
from tests.support import postgres


@dataclass(frozen=True, slots=True)
class Repositories(repositories.Repositories):
    """One engine's repositories over one empty database."""

    chain: Callable[[], ChainReport | None]
    """Checks the audit log."""
    rows: Callable[[int], Awaitable["Rows"]]
    """Returns every row of a guild."""

    def is_sound(self) -> bool:
        """Return whether the audit log is as it was written."""
        report = self.chain()
        return report is not None and report.fault is None


Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by their table."""

_OF_NO_GUILD = frozenset(
    {
        "sign_in_nonces",
        "command_syncs",
        "sequences",
        "skindesk_migrations",
        "desk",
        "removed_views",
        "provider_calls",
        "provider_pauses",
        "identify_slots",
        "workers",
        "living_workers",
        "duties",
        "interaction_claims",
    }
)
"""Tables whose rows belong to no guild."""


_OF_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
_OF_POSTGRES = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"


async def _tables_of_sqlite(db: Database) -> Mapping[str, Collection[str]]:
    names = [row["name"] for row in await db.read(_OF_SQLITE)]
    return {name: {row["name"] for row in await db.read(f"PRAGMA table_info({name})")} for name in names}


async def _tables_of_postgres(db: Database) -> Mapping[str, Collection[str]]:
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = :name"
    names = [row["name"] for row in await db.read(_OF_POSTGRES)]
    return {name: {row["column_name"] for row in await db.read(columns, {"name": name})} for name in names}


async def _rows(db: Database, tables: Mapping[str, Collection[str]], guild_id: int) -> Rows:
    rows: Rows = {}
    for name, columns in tables.items():
        if name not in _OF_NO_GUILD:
            assert "guild_id" in columns, f"the rows of {name} belong to no guild"
            found = await db.read(f"SELECT * FROM {name} WHERE guild_id = :guild_id", {"guild_id": guild_id})  # noqa: S608 -- a table's own name
            rows[name] = sorted(map(tuple, found), key=repr)
    return rows


def _over(
    db: Database, *, chain: Callable[[], ChainReport | None], rows: Callable[[int], Awaitable[Rows]]
) -> Repositories:
    opened = repositories.Repositories.over(db, worker="worker", now=lambda: NOW)
    return Repositories(**{field.name: getattr(opened, field.name) for field in fields(opened)}, chain=chain, rows=rows)


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Repositories]:
    path = folder / "desk.db"
    async with SqliteDatabase.open(path) as db:
        yield _over(db, chain=lambda: inspect(path).chain, rows=partial(_rows, db, await _tables_of_sqlite(db)))


@asynccontextmanager
async def two_processes() -> AsyncIterator[list[Repositories]]:
    """Yield the repositories of two processes on one database: each has connections, a queue and caches of its own."""
    with postgres.database() as url:
        async with PostgresDatabase.open(url) as one, PostgresDatabase.open(url) as other:
            rows = partial(_rows, one, await _tables_of_postgres(one))
            yield [_over(db, chain=partial(postgres.chain_report, url), rows=rows) for db in (one, other)]


@asynccontextmanager
async def _postgres(_folder: Path) -> AsyncIterator[Repositories]:
    """Let two processes answer in turns."""
    async with two_processes() as sides:
        names = [field.name for field in fields(repositories.Repositories)]
        in_turns: Any = {name: _InTurns(*(getattr(side, name) for side in sides)) for name in names}
        yield replace(sides[0], **in_turns)


class _InTurns:
    """The repositories of one kind of two processes: each call goes to the one that did not have the last."""

    def __init__(self, *each: object) -> None:
        self._next = cycle(each)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._next), name)


ENGINES: dict[str, Callable[[Path], AbstractAsyncContextManager[Repositories]]] = {
    "sqlite": _sqlite,
    "postgres": _postgres,
}
