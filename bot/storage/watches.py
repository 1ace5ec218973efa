"""Keeps which trades are watched, by whom, and the standing that they know."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from typing_extensions import override

from bot.domain.failures import ProviderName
from bot.domain.steam import SteamId
from bot.domain.watches import Watch
from bot.ports.watches import WatchRepository
from bot.storage.database import Connection, Database, Row, clean_text, from_ms, to_ms

_ADD = """
INSERT INTO watches
    (guild_id, user_id, provider, trade_id, owner, standing, notified_at, began_at, expires_at, language)
SELECT :guild_id, :user_id, :provider, :trade_id, :owner, :standing, :notified_at, :began_at, :expires_at, :language
WHERE (SELECT count(*) FROM watches WHERE guild_id = :guild_id AND user_id = :user_id) < :at_most
ON CONFLICT (guild_id, user_id, provider, trade_id) DO NOTHING
"""

_OF_TRADE = """
SELECT * FROM watches
WHERE guild_id = :guild_id AND user_id = :user_id AND provider = :provider AND trade_id = :trade_id
"""

_OF_USER = "SELECT * FROM watches WHERE guild_id = :guild_id AND user_id = :user_id ORDER BY id"

_OF_PROVIDER = "SELECT * FROM watches WHERE provider = :provider AND expires_at > :at ORDER BY read_at NULLS FIRST, id"

_GET = "SELECT * FROM watches WHERE id = :id"

_MARK_READ = "UPDATE watches SET read_at = :at WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(:ids))"

_MARK_NOTIFIED = "UPDATE watches SET standing = :standing, notified_at = :at WHERE id = :id"

_REMOVE = "DELETE FROM watches WHERE id = :id AND (:user_id IS NULL OR user_id = :user_id) RETURNING *"

_EXPIRED = "SELECT * FROM watches WHERE expires_at <= :at ORDER BY id"


class SqlWatchRepository(WatchRepository):
    """Watches as rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def add(self, draft: Watch, *, at_most: int) -> tuple[Watch, bool] | None:
        row = {
            "guild_id": draft.guild_id,
            "user_id": draft.user_id,
            "provider": draft.provider.value,
            "trade_id": draft.trade_id,
            "owner": draft.owner.value,
            "standing": clean_text(draft.standing),
            "notified_at": to_ms(draft.notified_at),
            "began_at": to_ms(draft.began_at),
            "expires_at": to_ms(draft.expires_at),
            "language": draft.language,
            "at_most": at_most,
        }

        def job(connection: Connection) -> tuple[Watch, bool] | None:
            is_new = connection.execute(_ADD, row).rowcount > 0
            watch = _only(connection.execute(_OF_TRADE, row))
            return None if watch is None else (watch, is_new)

        return await self._db.write(job)

    @override
    async def of_user(self, guild_id: int, user_id: int) -> tuple[Watch, ...]:
        return watches_of(await self._db.read(_OF_USER, {"guild_id": guild_id, "user_id": user_id}))

    @override
    async def of_provider(self, provider: ProviderName, *, at: datetime) -> tuple[Watch, ...]:
        return watches_of(await self._db.read(_OF_PROVIDER, {"provider": provider.value, "at": to_ms(at)}))

    @override
    async def get(self, watch_id: int) -> Watch | None:
        return _only(await self._db.read(_GET, {"id": watch_id}))

    @override
    async def mark_read(self, watch_ids: Collection[int], *, at: datetime) -> None:
        await self._change(_MARK_READ, ids=json.dumps(list(watch_ids)), at=to_ms(at))

    @override
    async def mark_notified(self, watch_id: int, standing: str, *, at: datetime) -> None:
        await self._change(_MARK_NOTIFIED, id=watch_id, standing=clean_text(standing), at=to_ms(at))

    @override
    async def remove(self, watch_id: int, *, of: int | None = None) -> Watch | None:
        def job(connection: Connection) -> Watch | None:
            return _only(connection.execute(_REMOVE, {"id": watch_id, "user_id": of}).fetchall())

        return await self._db.write(job)

    @override
    async def expired(self, *, at: datetime) -> tuple[Watch, ...]:
        return watches_of(await self._db.read(_EXPIRED, {"at": to_ms(at)}))

    async def _change(self, sql: str, **values: Any) -> None:
        await self._db.write(lambda connection: connection.execute(sql, values).rowcount)


def watches_of(rows: Iterable[Row]) -> tuple[Watch, ...]:
    """Return the watches in these rows."""
    return tuple(
        Watch(
            id=row["id"],
            guild_id=row["guild_id"],
            user_id=row["user_id"],
            provider=ProviderName(row["provider"]),
            trade_id=row["trade_id"],
            owner=SteamId(row["owner"]),
            standing=row["standing"],
            notified_at=from_ms(row["notified_at"]),
            began_at=from_ms(row["began_at"]),
            expires_at=from_ms(row["expires_at"]),
            read_at=from_ms(row["read_at"]),
            language=row["language"],
        )
        for row in rows
    )


def _only(rows: Iterable[Row]) -> Watch | None:
    return next(iter(watches_of(rows)), None)
