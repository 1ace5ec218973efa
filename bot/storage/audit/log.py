"""Keeps the append-only record.

Details are short facts, by name, as text; what people typed is not among them, because nothing can ever be removed
from here. People stand here as pseudonyms, whose meaning can be removed: see :mod:`bot.storage.audit.pseudonyms`.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import aiosqlite

from bot.domain.audit import (
    PERSONAL_DETAILS,
    AuditAction,
    AuditEntry,
    AuditRow,
    ChainReport,
    DamagedRow,
    PseudonymKind,
)
from bot.storage.audit import chain, pseudonyms
from bot.storage.audit.check import check
from bot.storage.audit.pseudonyms import Read, person
from bot.storage.audit.rows import (
    AS_BYTES,
    actor_column,
    detail_column,
    entry_row,
    mentions_of,
    people_in,
    recorded,
    subject_column,
    subject_person,
)
from bot.storage.columns import to_ms
from bot.storage.database import Database
from bot.storage.errors import DatabaseUnusable
from bot.storage.schema import bundled, recognise, version_of
from bot.storage.thread import on_thread
from bot.storage.write_queue import SyncJob

# Each part is answered from one index that has its rows in their order; the rows themselves are read last. CROSS JOIN
# keeps SQLite from going through the record instead and asking of each row whether it was found.
_PART = "SELECT * FROM (SELECT id FROM audit WHERE {} ORDER BY id DESC LIMIT :limit)"

_FOUND = f"""
SELECT {AS_BYTES} FROM ({{}}) AS found CROSS JOIN audit ON audit.id = found.id ORDER BY audit.id DESC LIMIT :limit
"""  # noqa: S608 -- the columns are ours

_IN_GUILD = "guild_id = :guild_id"

_NO_LIMIT = -1

_A_USER = (PseudonymKind.USER, PseudonymKind.STAFF)
"""As what a Discord user can be in the record."""


async def write_down(connection: aiosqlite.Connection, entry: AuditEntry) -> None:
    """Add an entry to the unit that does what it tells of."""
    await on_thread(connection, partial(_write_down, entry=entry))


def _write_down(connection: sqlite3.Connection, *, entry: AuditEntry) -> None:
    names = pseudonyms.named(connection, entry.guild_id, people_in(entry))
    columns = chain.Columns(
        guild_id=entry.guild_id,
        at=to_ms(entry.at),
        actor=actor_column(entry, names),
        action=entry.action.value,
        subject=subject_column(entry.subject, names),
        detail=detail_column(entry.detail, names),
    )
    chain.add(connection, columns)


class SqliteAuditRepository:
    """The record in its own table, whose triggers refuse every change."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def append(self, entry: AuditEntry) -> None:
        """Write down an entry that belongs to no other change."""
        await self._db.write(SyncJob(partial(_write_down, entry=entry)))

    async def newest(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow]:
        """Return the rows that match, newest first, without those that cannot be read."""
        rows = await self.newest_as_found(guild_id, limit=limit, user_id=user_id, action=action, subject=subject)
        return _readable(rows)

    async def newest_as_found(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow | DamagedRow]:
        """Return the rows that match, newest first: those written down last, whatever their clock said.

        What that costs depends on ``limit`` and not on the record. Only ``user_id`` and ``subject`` together go
        through all that was done to the subject.
        """
        people = [] if user_id is None else [person(kind, user_id) for kind in _A_USER]
        target = None if subject is None else subject_person(subject)
        names = await pseudonyms.known(self._db.read, guild_id, people if target is None else [*people, target])
        if subject is not None and target is not None and target not in names:
            return []
        wanted: dict[str, object] = {
            "guild_id": guild_id,
            "action": None if action is None else action.value,
            "subject": None if subject is None else subject_column(subject, names),
            "limit": max(limit, 0),
        }
        narrow = [f"{column} = :{column}" for column in ("action", "subject") if wanted[column] is not None]
        if user_id is None:
            return await _rows(self._db.read, [_IN_GUILD, *narrow], wanted=wanted)
        alternatives: list[list[str]] = []
        for somebody in people:
            if somebody in names:
                wanted[somebody.kind] = names[somebody]
                alternatives.append([f"actor = :{somebody.kind}", *narrow, *([] if subject is None else [_IN_GUILD])])
        if PseudonymKind.USER in wanted:
            wanted["own"] = f"user:{wanted[PseudonymKind.USER]}"
            alternatives.append([_IN_GUILD, "subject = :own", *narrow])
        return await _rows(self._db.read, *alternatives, wanted=wanted)

    async def verify(self) -> ChainReport:
        """Read the whole record."""
        return await check(self._db.read)


async def concerning(
    db: Database, guild_id: int, *, user_id: int | None = None, steam_ids: Iterable[int] = ()
) -> tuple[AuditRow, ...]:
    """Return every readable row of a guild's record that names a user or one of the accounts, the newest first.

    Somebody is named as who did it, as whom it was done to, and in the details. The costs grow with what was written
    about them, not with the record.
    """
    people = [] if user_id is None else [person(kind, user_id) for kind in _A_USER]
    people += [person(PseudonymKind.STEAM, steam_id) for steam_id in steam_ids]
    wanted: dict[str, object] = {"guild_id": guild_id, "limit": _NO_LIMIT}
    alternatives: list[list[str]] = []
    for number, (somebody, pseudonym) in enumerate((await pseudonyms.known(db.read, guild_id, people)).items()):
        wanted |= {f"pseudonym{number}": pseudonym, f"subject{number}": f"{somebody.kind}:{pseudonym}"}
        alternatives += [[_IN_GUILD, f"subject = :subject{number}"], [f"actor = :pseudonym{number}"]]
        alternatives += [
            [f"json_extract(detail, '$.{key}') = :pseudonym{number}"]
            for key, kind in PERSONAL_DETAILS.items()
            if kind is somebody.kind
        ]
    return tuple(_readable(await _rows(db.read, *alternatives, wanted=wanted)))


async def linkings(read: Read, guild_id: int, user_id: int) -> tuple[AuditRow, ...]:
    """Return every row of a guild's record by which a user was linked, or linked somebody; inside a unit, too."""
    names = await pseudonyms.known(read, guild_id, [person(kind, user_id) for kind in _A_USER])
    wanted: dict[str, object] = {"guild_id": guild_id, "action": AuditAction.LINK_SET.value, "limit": _NO_LIMIT}
    alternatives: list[list[str]] = []
    for somebody, pseudonym in names.items():
        wanted |= {somebody.kind.value: pseudonym, f"{somebody.kind.value}_subject": f"user:{pseudonym}"}
        alternatives += [
            [f"actor = :{somebody.kind.value}", "action = :action"],
            [_IN_GUILD, f"subject = :{somebody.kind.value}_subject", "action = :action"],
        ]
    return tuple(_readable(await _rows(read, *alternatives, wanted=wanted)))


async def _rows(read: Read, *alternatives: Sequence[str], wanted: Mapping[str, object]) -> list[AuditRow | DamagedRow]:
    """Return the newest rows for which all conditions of one of the alternatives hold."""
    if not alternatives:
        return []
    parts = " UNION ".join(_PART.format(" AND ".join(conditions)) for conditions in alternatives)
    rows = [recorded(row) for row in await read(_FOUND.format(parts), wanted)]
    sound = [row for row in rows if not isinstance(row, DamagedRow)]
    people = await pseudonyms.behind(read, {one.pseudonym for row in sound for one in mentions_of(row)})
    return [row if isinstance(row, DamagedRow) else entry_row(row, people) for row in rows]


def _readable(rows: Iterable[AuditRow | DamagedRow]) -> list[AuditRow]:
    return [row for row in rows if isinstance(row, AuditRow)]


async def verify_file(path: Path) -> ChainReport:
    """Check the record in a database as it lies there, without opening it for SkinDesk; nothing is written.

    DatabaseUnusable where it is none, has the schema of another version, or is damaged elsewhere than in the record.
    """
    try:
        async with aiosqlite.connect(_openable(path), uri=True) as connection:
            connection.row_factory = sqlite3.Row
            if (version := await version_of(connection)) != len(bundled()):
                raise DatabaseUnusable(path, f"schema {version}")

            async def read(sql: str, parameters: Mapping[str, object]) -> Iterable[sqlite3.Row]:
                return await connection.execute_fetchall(sql, parameters)

            report = await check(read)
            if not report.faults:
                await recognise(connection, path)
            return report
    except sqlite3.Error as error:
        raise DatabaseUnusable(path, str(error)) from error


def _openable(path: Path) -> str:
    """Return the address of a file that can be opened: aiosqlite leaves a thread behind where it cannot."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    sqlite3.connect(address, uri=True).close()
    return address
