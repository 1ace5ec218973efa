"""Keeps the snapshots behind pagers, within bounds, until they expire."""

import json
import logging
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bot.domain.inventory import InventoryFilter
from bot.domain.snapshots import Audience, Snapshot
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database
from bot.storage.encoded_snapshots import EncodedAnswers
from bot.storage.snapshot_codec import UnreadableAnswer, decode, decode_view, encode, encode_view
from bot.storage.write_queue import SyncJob
from bot.worker import run_in_worker

_log = logging.getLogger(__name__)

_DELETE = """
DELETE FROM pages WHERE seq IN (
    SELECT pages.seq FROM json_each(:keys) AS wanted CROSS JOIN pages
        ON pages.id = json_extract(wanted.value, '$[1]') AND pages.guild_id = json_extract(wanted.value, '$[0]')
)
"""

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

_COUNT = "SELECT count(*), coalesce(sum(length(answer)), 0) FROM pages"

_LOAD = "SELECT * FROM pages WHERE guild_id = :guild_id AND id = :id AND expires_at > :at"

_SET_VIEW = "UPDATE pages SET view = :view WHERE guild_id = :guild_id AND id = :id"

_PURGE = "DELETE FROM pages WHERE expires_at <= :at"


class _Kept(NamedTuple):
    """How many snapshots there are, and their bytes together."""

    rows: int
    bytes: int


class SqliteSnapshotRepository:
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
        self._at_most: _Kept | None = None
        """No less than there is; None until that was counted. What is deleted elsewhere is not noticed."""

    async def save(self, *snapshots: Snapshot) -> None:
        """Keep snapshots, without the codes of their trades; one with the same id in the same guild is replaced."""
        rows = [await self._row(snapshot) for snapshot in snapshots]
        kept = [row for row in rows if len(row["answer"]) <= self._max_bytes]
        size = sum(len(row["answer"]) for row in kept)
        readers = {(row["guild_id"], row["user_id"]) for row in kept}

        def work(connection: sqlite3.Connection) -> _Kept | None:
            # As few statements as can be: Python's one lock goes to and fro with each of them.
            connection.execute(_DELETE, {"keys": json.dumps([(row["guild_id"], row["id"]) for row in rows])})
            connection.executemany(_INSERT, kept)
            connection.executemany(
                _EVICT_OF_USER,
                [{"guild_id": guild, "user_id": user, "kept": self._max_per_user} for guild, user in readers],
            )
            before = self._at_most
            if before is None or before.rows + len(kept) > self._max_rows:
                connection.execute(_EVICT, {"kept": self._max_rows})
            if before is not None and before.bytes + size <= self._max_bytes_of_all:
                self._at_most = _Kept(min(before.rows + len(kept), self._max_rows), before.bytes + size)
                return None
            connection.execute(_EVICT_BYTES, {"bytes": self._max_bytes_of_all})
            return _Kept(*connection.execute(_COUNT).fetchone())

        counted = await self._db.write(SyncJob(work))
        if counted is not None:  # only now it is certain that what was to go is gone
            self._at_most = counted

    async def _row(self, snapshot: Snapshot) -> dict[str, Any]:
        answer = await self._encoded.of(snapshot.answer)
        if len(answer) > self._max_bytes:
            answer = await run_in_worker(encode, snapshot.answer, lean=True)
        if len(answer) > self._max_bytes:
            _log.warning("snapshot too large to keep guild=%s bytes=%s", snapshot.guild_id, len(answer))
        return {
            "id": snapshot.id,
            "guild_id": snapshot.guild_id,
            "user_id": snapshot.user_id,
            "audience": snapshot.audience.value,
            "answer": answer,
            "created_at": to_ms(snapshot.created_at),
            "expires_at": to_ms(snapshot.expires_at),
            "view": encode_view(snapshot.view),
        }

    async def load(self, guild_id: int, snapshot_id: str, *, at: datetime) -> Snapshot | None:
        """Return a snapshot of this guild that has not expired; None too where it cannot be read any more."""
        for row in await self._db.read(_LOAD, {"guild_id": guild_id, "id": snapshot_id, "at": to_ms(at)}):
            try:
                return await run_in_worker(_pages, row)
            except (UnreadableAnswer, ValueError) as error:
                _log.warning("snapshot not readable guild=%s error=%s", row["guild_id"], type(error).__name__)
        return None

    async def remove(self, guild_id: int, snapshot_id: str) -> None:
        """Delete a snapshot; nothing happens where it is not kept."""
        row = {"keys": json.dumps([(guild_id, snapshot_id)])}
        await self._db.write(SyncJob(lambda connection: _ran(connection, _DELETE, row)))

    async def set_view(self, guild_id: int, snapshot_id: str, view: InventoryFilter | None) -> None:
        """Keep how the reader of a snapshot has sorted and narrowed it; nothing happens where it is not kept."""
        row = {"id": snapshot_id, "guild_id": guild_id, "view": encode_view(view)}

        await self._db.write(SyncJob(lambda connection: _ran(connection, _SET_VIEW, row)))

    async def purge(self, *, at: datetime) -> None:
        """Forget what has expired."""
        await self._db.write(SyncJob(lambda connection: _ran(connection, _PURGE, {"at": to_ms(at)})))


def _ran(connection: sqlite3.Connection, sql: str, row: Mapping[str, object]) -> None:
    connection.execute(sql, row)


def _pages(row: sqlite3.Row) -> Snapshot:
    return Snapshot(
        id=row["id"],
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        audience=Audience(row["audience"]),
        answer=decode(row["answer"]),
        created_at=from_ms(row["created_at"]),
        expires_at=from_ms(row["expires_at"]),
        view=decode_view(row["view"]),
    )
