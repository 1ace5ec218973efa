"""Keeps which Steam account belongs to which Discord user, one to one per guild."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from typing_extensions import override

from bot.domain.audit import FOR_ANOTHER, AuditAction, AuditEntry
from bot.domain.errors import SteamAccountTaken
from bot.domain.links import (
    RELINK_COOL_DOWN,
    EndedLink,
    HandOver,
    HandOverReason,
    Holder,
    Link,
    LinkSource,
    hand_overs,
    resends_from,
)
from bot.domain.steam import SteamId
from bot.ports import LinkRepository
from bot.storage.audit.log import append
from bot.storage.database import Connection, Database, Row, from_ms, to_ms

_OF_USER = "SELECT * FROM links WHERE guild_id = :guild_id AND user_id = :user_id"

_OF_STEAM_ID = "SELECT * FROM links WHERE guild_id = :guild_id AND steam_id = :steam_id"

_PUT = """
INSERT INTO links (guild_id, user_id, steam_id, source, linked_by, linked_at, resends_from)
VALUES (:guild_id, :user_id, :steam_id, :source, :linked_by, :linked_at, :resends_from)
ON CONFLICT (guild_id, user_id) DO UPDATE SET
    steam_id = excluded.steam_id, source = excluded.source,
    linked_by = excluded.linked_by, linked_at = excluded.linked_at, resends_from = excluded.resends_from
"""

_REMOVE = "DELETE FROM links WHERE guild_id = :guild_id AND user_id = :user_id RETURNING *"

_ENDED = "SELECT * FROM ended_links WHERE guild_id = :guild_id AND (user_id = :user_id OR steam_id = :steam_id)"

_END = """
INSERT INTO ended_links (guild_id, user_id, steam_id, ended_at, resends_from)
VALUES (:guild_id, :user_id, :steam_id, :ended_at, :resends_from)
ON CONFLICT (guild_id, user_id, steam_id) DO UPDATE SET
    ended_at = excluded.ended_at, resends_from = excluded.resends_from
"""

_HOLDERS = """
WITH holders AS (
    SELECT user_id, steam_id FROM links WHERE guild_id = :guild_id
    UNION
    SELECT user_id, steam_id FROM ended_links WHERE guild_id = :guild_id AND ended_at > :since
)
SELECT user_id, steam_id FROM holders
WHERE steam_id = :steam_id
   OR user_id IN (SELECT CAST(value AS BIGINT) FROM json_each(:user_ids))
   OR user_id IN (SELECT user_id FROM holders WHERE steam_id = :steam_id)
"""

_PURGE = "DELETE FROM ended_links WHERE ended_at <= :before"


def put_link(connection: Connection, link: Link) -> Link:
    """Set the user's link, inside a job; SteamAccountTaken before anything is changed."""
    values = _row(link)
    taken = connection.execute(_OF_STEAM_ID, values).fetchone()
    if taken is not None and taken["user_id"] != link.user_id:
        raise SteamAccountTaken(taken["user_id"])
    before = connection.execute(_OF_USER, values).fetchone()
    standing = None if before is None else link_of(before)
    ended = [ended_link_of(row) for row in connection.execute(_ENDED, values)]
    link = replace(link, resends_from=resends_from(link, standing=standing, ended=ended))
    detail = {"steam_id": str(link.steam_id), "source": link.source.value}
    if standing is not None and standing.steam_id != link.steam_id:
        detail["instead_of"] = str(standing.steam_id)
        _keep_ended(connection, standing, at=link.linked_at)
    connection.execute(_PUT, _row(link))
    subject = f"user:{link.user_id}"
    entry = AuditEntry(link.guild_id, link.linked_at, link.linked_by, AuditAction.LINK_SET, subject, detail)
    concerned = hand_overs(link, standing=standing, ended=ended)
    return replace(link, audit_row=append(connection, entry), hand_overs=concerned)


def holders_in(
    connection: Connection, guild_id: int, steam_id: SteamId, *, user_ids: Collection[int], at: datetime
) -> frozenset[Holder]:
    """Return what :meth:`LinkRepository.holders` does, inside a job."""
    return _holders(connection.execute(_HOLDERS, _concerned(guild_id, steam_id, user_ids, at)))


def link_in(connection: Connection, guild_id: int, user_id: int) -> Link | None:
    """Return a user's link, inside a job."""
    return _only(connection.execute(_OF_USER, {"guild_id": guild_id, "user_id": user_id}).fetchall())


def purge_ended(connection: Connection, *, at: datetime) -> None:
    """Delete the ended links that no longer make a new one wait, inside a job."""
    connection.execute(_PURGE, {"before": to_ms(at - RELINK_COOL_DOWN)})


def _keep_ended(connection: Connection, link: Link, *, at: datetime) -> None:
    purge_ended(connection, at=at)
    connection.execute(_END, {**_row(link), "ended_at": to_ms(at)})


class SqlLinkRepository(LinkRepository):
    """Links as rows, unique in both directions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def of_user(self, guild_id: int, user_id: int) -> Link | None:
        return _only(await self._db.read_inline(_OF_USER, {"guild_id": guild_id, "user_id": user_id}))

    @override
    async def of_steam_id(self, guild_id: int, steam_id: SteamId) -> Link | None:
        return _only(await self._db.read_inline(_OF_STEAM_ID, {"guild_id": guild_id, "steam_id": steam_id.value}))

    @override
    async def holders(
        self, guild_id: int, steam_id: SteamId, *, user_ids: Collection[int], at: datetime
    ) -> frozenset[Holder]:
        return _holders(await self._db.read(_HOLDERS, _concerned(guild_id, steam_id, user_ids, at)))

    @override
    async def put(self, link: Link) -> Link:
        return await self._db.write(partial(put_link, link=link))

    @override
    async def remove(self, guild_id: int, user_id: int, *, by: int, at: datetime) -> Link | None:
        def job(connection: Connection) -> Link | None:
            row = connection.execute(_REMOVE, {"guild_id": guild_id, "user_id": user_id}).fetchone()
            if row is None:
                return None
            link = link_of(row)
            _keep_ended(connection, link, at=at)
            detail = {"steam_id": str(link.steam_id), "source": link.source.value}
            if by != user_id:
                detail |= FOR_ANOTHER
                hand_over = HandOver(guild_id, user_id, link.steam_id, HandOverReason.ENDED)
                link = replace(link, hand_overs=(hand_over,))
            entry = AuditEntry(guild_id, at, by, AuditAction.LINK_REMOVED, f"user:{user_id}", detail)
            return replace(link, audit_row=append(connection, entry))

        return await self._db.write(job)


def _concerned(guild_id: int, steam_id: SteamId, user_ids: Collection[int], at: datetime) -> dict[str, int | str]:
    return {
        "guild_id": guild_id,
        "steam_id": steam_id.value,
        "user_ids": json.dumps(list(user_ids)),
        "since": to_ms(at - RELINK_COOL_DOWN),
    }


def _holders(rows: Iterable[Row]) -> frozenset[Holder]:
    return frozenset(Holder(row["user_id"], SteamId(row["steam_id"])) for row in rows)


def _only(rows: Sequence[Row]) -> Link | None:
    return link_of(rows[0]) if rows else None


def _row(link: Link) -> dict[str, int | str | None]:
    return {
        "guild_id": link.guild_id,
        "user_id": link.user_id,
        "steam_id": link.steam_id.value,
        "source": link.source.value,
        "linked_by": link.linked_by,
        "linked_at": to_ms(link.linked_at),
        "resends_from": None if link.resends_from is None else to_ms(link.resends_from),
    }


def link_of(row: Row) -> Link:
    """Return a row's link."""
    return Link(
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        steam_id=SteamId(row["steam_id"]),
        source=LinkSource(row["source"]),
        linked_by=row["linked_by"],
        linked_at=from_ms(row["linked_at"]),
        resends_from=from_ms(row["resends_from"]),
    )


def ended_link_of(row: Row) -> EndedLink:
    """Return a row's ended link."""
    return EndedLink(
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        steam_id=SteamId(row["steam_id"]),
        ended_at=from_ms(row["ended_at"]),
        resends_from=from_ms(row["resends_from"]),
    )
