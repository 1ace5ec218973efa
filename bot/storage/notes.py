"""Keeps the staff's notes on customers."""

from datetime import datetime

from typing_extensions import override

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.customers import CustomerKey
from bot.domain.notes import Note
from bot.domain.steam import SteamId
from bot.ports.notes import NoteRepository
from bot.storage.audit.log import append
from bot.storage.database import Connection, Database, Row, clean_text, from_ms, is_storable, to_ms

_OF_CUSTOMER = "guild_id = :guild_id AND (user_id = :user_id OR steam_id = :steam_id)"

_ADD = f"""
INSERT INTO notes (guild_id, user_id, steam_id, author_id, text, at)
SELECT :guild_id, :user_id, :steam_id, :author_id, :text, :at
WHERE (SELECT count(*) FROM notes WHERE {_OF_CUSTOMER}) < :at_most
RETURNING *
"""  # noqa: S608 -- put together from constants

_ALL_OF_CUSTOMER = f"SELECT * FROM notes WHERE {_OF_CUSTOMER} ORDER BY id DESC"  # noqa: S608 -- same

_REMOVE = """
DELETE FROM notes WHERE guild_id = :guild_id AND id = :id AND (:of_anyone OR author_id = :by)
RETURNING *
"""


class SqlNoteRepository(NoteRepository):
    """Notes as rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def add(self, note: Note, *, at_most: int) -> Note | None:
        values = {
            **_key(note.guild_id, CustomerKey(note.user_id, note.steam_id)),
            "author_id": note.author_id,
            "text": clean_text(note.text),
            "at": to_ms(note.at),
            "at_most": at_most,
        }

        def job(connection: Connection) -> Note | None:
            row = connection.execute(_ADD, values).fetchone()
            if row is not None:
                append(connection, _entry(AuditAction.NOTE_ADDED, note_of(row), by=note.author_id, at=note.at))
            return None if row is None else note_of(row)

        return await self._db.write(job)

    @override
    async def of_customer(self, guild_id: int, key: CustomerKey) -> tuple[Note, ...]:
        return tuple(map(note_of, await self._db.read(_ALL_OF_CUSTOMER, _key(guild_id, key))))

    @override
    async def remove(self, guild_id: int, note_id: int, *, by: int, of_anyone: bool, at: datetime) -> Note | None:
        if not is_storable(note_id):
            return None
        values = {"guild_id": guild_id, "id": note_id, "by": by, "of_anyone": of_anyone}

        def job(connection: Connection) -> Note | None:
            row = connection.execute(_REMOVE, values).fetchone()
            if row is not None:
                append(connection, _entry(AuditAction.NOTE_REMOVED, note_of(row), by=by, at=at))
            return None if row is None else note_of(row)

        return await self._db.write(job)


def note_of(row: Row) -> Note:
    """Return a row's note."""
    return Note(
        id=row["id"],
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        steam_id=None if row["steam_id"] is None else SteamId(row["steam_id"]),
        author_id=row["author_id"],
        text=row["text"],
        at=from_ms(row["at"]),
    )


def _key(guild_id: int, key: CustomerKey) -> dict[str, int | str | None]:
    steam_id = None if key.steam_id is None else key.steam_id.value
    return {"guild_id": guild_id, "user_id": key.user_id, "steam_id": steam_id}


def _entry(action: AuditAction, note: Note, *, by: int, at: datetime) -> AuditEntry:
    """Return the audit entry: nothing can be removed from the log, so it has no text."""
    detail = {"note": str(note.id)}
    if note.steam_id is not None:
        detail["steam_id"] = str(note.steam_id)
    return AuditEntry(note.guild_id, at, by, action, CustomerKey(note.user_id, note.steam_id).subject, detail)
