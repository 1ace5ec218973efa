"""Keeps which Steam account belongs to which Discord user, one to one per guild."""

import sqlite3
from dataclasses import replace
from datetime import datetime

import aiosqlite

from bot.domain.audit import FOR_ANOTHER, AuditAction, AuditEntry
from bot.domain.errors import SteamAccountTaken
from bot.domain.links import RELINK_COOL_DOWN, EndedLink, Link, LinkSource, resends_from
from bot.domain.steam import SteamId
from bot.storage.audit.log import write_down
from bot.storage.columns import from_ms, from_ms_or_none, to_ms
from bot.storage.database import Database, fetch_one

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

_PURGE = "DELETE FROM ended_links WHERE ended_at <= :before"


async def put_link(connection: aiosqlite.Connection, link: Link) -> Link:
    """Set the user's link inside a unit, with audit row and cool-down; SteamAccountTaken before anything is changed."""
    row = _row(link)
    taken = await fetch_one(connection, _OF_STEAM_ID, row)
    if taken is not None and taken["user_id"] != link.user_id:
        raise SteamAccountTaken(taken["user_id"])
    before = await fetch_one(connection, _OF_USER, row)
    standing = None if before is None else _link(before)
    ended = [_ended(each) for each in await connection.execute_fetchall(_ENDED, row)]
    link = replace(link, resends_from=resends_from(link, standing=standing, ended=ended))
    detail = {"steam_id": str(link.steam_id), "source": link.source.value}
    if standing is not None and standing.steam_id != link.steam_id:
        detail["instead_of"] = str(standing.steam_id)
        await _remember(connection, standing, at=link.linked_at)
    await connection.execute_fetchall(_PUT, _row(link))
    subject = f"user:{link.user_id}"
    entry = AuditEntry(link.guild_id, link.linked_at, link.linked_by, AuditAction.LINK_SET, subject, detail)
    await write_down(connection, entry)
    return link


async def forget_ended(connection: aiosqlite.Connection, *, at: datetime) -> None:
    """Forget the ended links that make no new one wait any more."""
    await connection.execute_fetchall(_PURGE, {"before": to_ms(at - RELINK_COOL_DOWN)})


async def _remember(connection: aiosqlite.Connection, link: Link, *, at: datetime) -> None:
    await forget_ended(connection, at=at)
    row = {name: value for name, value in _row(link).items() if name not in ("source", "linked_by", "linked_at")}
    await connection.execute_fetchall(_END, {**row, "ended_at": to_ms(at)})


class SqliteLinkRepository:
    """Links as rows, unique in both directions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_user(self, guild_id: int, user_id: int) -> Link | None:
        """Return the user's link."""
        rows = await self._db.look(_OF_USER, {"guild_id": guild_id, "user_id": user_id})
        return _link(rows[0]) if rows else None

    async def of_steam_id(self, guild_id: int, steam_id: SteamId) -> Link | None:
        """Return the link of this Steam account."""
        rows = await self._db.look(_OF_STEAM_ID, {"guild_id": guild_id, "steam_id": steam_id.value})
        return _link(rows[0]) if rows else None

    async def put(self, link: Link) -> Link:
        """Set or replace the user's link and return it as kept; SteamAccountTaken where the account is another's."""

        async def unit(connection: aiosqlite.Connection) -> Link:
            return await put_link(connection, link)

        return await self._db.write(unit)

    async def remove(self, guild_id: int, user_id: int, *, by: int, at: datetime) -> Link | None:
        """Remove and return the user's link, with its audit row."""

        async def unit(connection: aiosqlite.Connection) -> Link | None:
            row = await fetch_one(connection, _REMOVE, {"guild_id": guild_id, "user_id": user_id})
            if row is None:
                return None
            link = _link(row)
            await _remember(connection, link, at=at)
            detail = {"steam_id": str(link.steam_id), "source": link.source.value}
            if by != user_id:
                detail |= FOR_ANOTHER
            await write_down(
                connection, AuditEntry(guild_id, at, by, AuditAction.LINK_REMOVED, f"user:{user_id}", detail)
            )
            return link

        return await self._db.write(unit)


def link_of(row: sqlite3.Row) -> Link:
    """Return the link in a row."""
    return _link(row)


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


def _link(row: sqlite3.Row) -> Link:
    return Link(
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        steam_id=SteamId(row["steam_id"]),
        source=LinkSource(row["source"]),
        linked_by=row["linked_by"],
        linked_at=from_ms(row["linked_at"]),
        resends_from=from_ms_or_none(row["resends_from"]),
    )


def _ended(row: sqlite3.Row) -> EndedLink:
    return EndedLink(
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        steam_id=SteamId(row["steam_id"]),
        ended_at=from_ms(row["ended_at"]),
        resends_from=from_ms_or_none(row["resends_from"]),
    )
