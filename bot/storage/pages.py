"""Keeps the snapshots behind pagers, within bounds, until they expire."""

import asyncio
import logging
import sqlite3
from datetime import datetime

import aiosqlite

from bot.domain.inventory import InventoryFilter
from bot.domain.pages import Audience, Pages
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database
from bot.storage.pages_codec import UnreadableAnswer, decode, decode_view, encode, encode_view
from bot.storage.pages_encoded import EncodedAnswers

_log = logging.getLogger(__name__)

_DELETE = "DELETE FROM pages WHERE id = :id AND guild_id = :guild_id"

_INSERT = """
INSERT INTO pages (id, guild_id, user_id, audience, answer, created_at, expires_at, view)
VALUES (:id, :guild_id, :user_id, :audience, :answer, :created_at, :expires_at, :view)
ON CONFLICT (id) DO NOTHING
"""

_EVICT_OF_USER = """
DELETE FROM pages
WHERE guild_id = :guild_id AND user_id = :user_id AND seq <= (
    SELECT seq FROM pages WHERE guild_id = :guild_id AND user_id = :user_id
    ORDER BY seq DESC LIMIT 1 OFFSET :kept
)
"""

_EVICT = "DELETE FROM pages WHERE seq <= (SELECT seq FROM pages ORDER BY seq DESC LIMIT 1 OFFSET :kept)"

_EVICT_BYTES = """
DELETE FROM pages WHERE seq IN (
    SELECT seq FROM (SELECT seq, SUM(length(answer)) OVER (ORDER BY seq DESC) AS bytes FROM pages)
    WHERE bytes > :bytes
)
"""

_BYTES = "SELECT coalesce(sum(length(answer)), 0) AS bytes FROM pages"

_LOAD = "SELECT * FROM pages WHERE guild_id = :guild_id AND id = :id AND expires_at > :at"

_SET_VIEW = "UPDATE pages SET view = :view WHERE guild_id = :guild_id AND id = :id"

_PURGE = "DELETE FROM pages WHERE expires_at <= :at"


class SqlitePagesRepository:
    """Snapshots as rows: at most ``max_rows``, at most ``max_per_user`` of a user in a guild, the oldest go first.

    All of them together have at most ``max_bytes_of_all``, compressed.
    One above ``max_bytes``, compressed, is kept without its items' pictures, stickers and inspect certificates; where
    that does not help it is not kept at all, and its pager does not outlive the process.
    """

    def __init__(
        self,
        db: Database,
        *,
        max_rows: int = 2_000,
        max_per_user: int = 20,
        max_bytes: int = 4 * 1024 * 1024,
        max_bytes_of_all: int = 1024 * 1024 * 1024,
    ) -> None:
        self._db = db
        self._max_rows = max_rows
        self._max_per_user = max_per_user
        self._max_bytes = max_bytes
        self._max_bytes_of_all = max_bytes_of_all
        self._encoded = EncodedAnswers()
        self._bytes_at_most: int | None = None
        """No fewer than all snapshots have; None until they were counted. What is deleted elsewhere is not noticed."""

    async def save(self, pages: Pages) -> None:
        """Keep a snapshot, without the codes of its trades; one with the same id in the same guild is replaced."""
        answer = await self._encoded.of(pages.answer)
        if len(answer) > self._max_bytes:
            answer = await asyncio.to_thread(encode, pages.answer, lean=True)
        if len(answer) > self._max_bytes:
            _log.warning("snapshot too large to keep guild=%s bytes=%s", pages.guild_id, len(answer))
        row = {
            "id": pages.id,
            "guild_id": pages.guild_id,
            "user_id": pages.user_id,
            "audience": pages.audience.value,
            "answer": answer,
            "created_at": to_ms(pages.created_at),
            "expires_at": to_ms(pages.expires_at),
            "view": encode_view(pages.view),
        }

        async def unit(connection: aiosqlite.Connection) -> int | None:
            await connection.execute_fetchall(_DELETE, row)
            if len(answer) > self._max_bytes:
                return None
            await connection.execute_fetchall(_INSERT, row)
            await connection.execute_fetchall(_EVICT_OF_USER, row | {"kept": self._max_per_user})
            await connection.execute_fetchall(_EVICT, {"kept": self._max_rows})
            before = self._bytes_at_most
            if before is not None and before + len(answer) <= self._max_bytes_of_all:
                self._bytes_at_most = before + len(answer)
                return None
            await connection.execute_fetchall(_EVICT_BYTES, {"bytes": self._max_bytes_of_all})
            (all_of_them,) = await connection.execute_fetchall(_BYTES)
            return int(all_of_them["bytes"])

        counted = await self._db.write(unit)
        if counted is not None:  # only now it is certain that what was to go is gone
            self._bytes_at_most = counted

    async def load(self, guild_id: int, pages_id: str, *, at: datetime) -> Pages | None:
        """Return a snapshot of this guild that has not expired; None too where it cannot be read any more."""
        for row in await self._db.read(_LOAD, {"guild_id": guild_id, "id": pages_id, "at": to_ms(at)}):
            try:
                return await asyncio.to_thread(_pages, row)
            except (UnreadableAnswer, ValueError) as error:
                _log.warning("snapshot not readable guild=%s error=%s", row["guild_id"], type(error).__name__)
        return None

    async def set_view(self, guild_id: int, pages_id: str, view: InventoryFilter | None) -> None:
        """Keep how the reader of a snapshot has sorted and narrowed it; nothing happens where it is not kept."""
        row = {"id": pages_id, "guild_id": guild_id, "view": encode_view(view)}

        async def unit(connection: aiosqlite.Connection) -> None:
            await connection.execute_fetchall(_SET_VIEW, row)

        await self._db.write(unit)

    async def purge(self, *, at: datetime) -> None:
        """Forget what has expired."""

        async def unit(connection: aiosqlite.Connection) -> None:
            await connection.execute_fetchall(_PURGE, {"at": to_ms(at)})

        await self._db.write(unit)


def _pages(row: sqlite3.Row) -> Pages:
    return Pages(
        id=row["id"],
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        audience=Audience(row["audience"]),
        answer=decode(row["answer"]),
        created_at=from_ms(row["created_at"]),
        expires_at=from_ms(row["expires_at"]),
        view=decode_view(row["view"]),
    )
