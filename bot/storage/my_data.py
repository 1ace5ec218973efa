"""Reads what the tables hold about one member of a guild, and forgets it."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiosqlite

from bot.domain.audit import AuditAction, AuditEntry, PseudonymKind
from bot.domain.links import RELINK_COOL_DOWN, EndedLink, Link
from bot.domain.my_data import Erased, StoredData, accounts_of
from bot.domain.resends import OPENED_WITHIN, Resend
from bot.domain.steam import SteamId
from bot.storage.audit.log import SqliteAuditRepository, concerning, linkings, write_down
from bot.storage.audit.pseudonyms import Read, forget_person
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database
from bot.storage.links import link_of
from bot.storage.resend_rows import nobodys_facts, resend_of

_LINK = "SELECT * FROM links WHERE guild_id = :guild_id AND user_id = :user_id"

_ENDED_LINKS = "SELECT * FROM ended_links WHERE guild_id = :guild_id AND user_id = :user_id ORDER BY ended_at, steam_id"

# A request for the trade of an account belongs to whoever the account was linked to then, not to a later holder.
_RESENDS = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND forgotten_at IS NULL AND (
    requested_by = :user_id OR owner_user_id = :user_id
    OR owner_user_id IS NULL AND owner IN (SELECT value FROM json_each(:accounts))
)
ORDER BY id
"""

_SNAPSHOTS = "SELECT count(*) AS number FROM pages WHERE guild_id = :guild_id AND user_id = :user_id"

_MOST_LOOKS = 1_000
"""Looks at everybody's trades, the newest, that are told to each of them."""

_OTHERS = """
SELECT steam_id FROM links
WHERE guild_id = :guild_id AND user_id <> :user_id AND steam_id IN (SELECT value FROM json_each(:accounts))
"""

_REMOVE_LINK = "DELETE FROM links WHERE guild_id = :guild_id AND user_id = :user_id"

# With the wait that runs: to be forgotten must not be a way around it.
_END_LINK = """
INSERT INTO ended_links (guild_id, user_id, steam_id, ended_at, resends_from)
SELECT guild_id, user_id, steam_id, :at, resends_from FROM links WHERE guild_id = :guild_id AND user_id = :user_id
ON CONFLICT (guild_id, user_id, steam_id) DO UPDATE SET
    ended_at = excluded.ended_at, resends_from = excluded.resends_from
"""

_REMOVE_ENDED_LINKS = """
DELETE FROM ended_links WHERE guild_id = :guild_id AND user_id = :user_id AND ended_at <= :no_longer_after
"""

_REMOVE_SNAPSHOTS = "DELETE FROM pages WHERE guild_id = :guild_id AND user_id = :user_id RETURNING id"

_REMOVE_SIGN_INS = "DELETE FROM sign_ins WHERE guild_id = :guild_id AND user_id = :user_id"

_MAKE_NOBODYS = """
UPDATE resends SET
    requested_by = 0, owner = 0, owner_user_id = NULL, reason = NULL, decision_reason = NULL, outcome_detail = NULL,
    notes = '[]', facts = :facts, forgotten_at = :at
WHERE id = :id
"""


class SqliteMyDataRepository:
    """One member's data over all tables that hold any."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._is_to_be_wiped = True  # a stop may have come before it was done

    async def of_user(self, guild_id: int, user_id: int) -> StoredData:
        """Return everything the tables hold about a member of this guild.

        It is read table by table: what changes meanwhile may be in one of them and not in another.
        """
        who = {"guild_id": guild_id, "user_id": user_id}
        # The links before the record: whatever link is found here, it has the row that tells how it came about.
        link, ended_links = await _links(self._db.read, who)
        accounts = await _accounts(self._db.read, who, link, ended_links)
        linked = [link.steam_id.value] if link is not None and link.steam_id in accounts else []
        about_them = await concerning(self._db, guild_id, user_id=user_id, steam_ids=linked)
        everybodys = await SqliteAuditRepository(self._db).newest(
            guild_id, limit=_MOST_LOOKS, action=AuditAction.TRADES_VIEWED, subject="guild"
        )
        rows = {row.number: row for row in (*about_them, *everybodys)}
        ((snapshots,),) = await self._db.read(_SNAPSHOTS, who)
        return StoredData(
            link=link,
            ended_links=ended_links,
            accounts=accounts,
            resends=await _resends(self._db.read, who, accounts),
            audit=tuple(rows[number] for number in sorted(rows, reverse=True)),
            snapshots=snapshots,
        )

    async def forget(self, guild_id: int, user_id: int, *, at: datetime) -> Erased:
        """Remove the link and snapshots, make ended requests nobody's, and take their meaning from the pseudonyms.

        The link is remembered as ended, for its cool-down. Requests that are open or still counted stay.
        """

        async def unit(connection: aiosqlite.Connection) -> Erased:
            async def read(sql: str, parameters: Mapping[str, Any]) -> Iterable[sqlite3.Row]:
                return await connection.execute_fetchall(sql, parameters)

            who = {"guild_id": guild_id, "user_id": user_id, "at": to_ms(at)}
            link, former = await _links(read, who)
            accounts = await _accounts(read, who, link, former)
            forgotten = await _forget_resends(connection, await _resends(read, who, accounts), at)
            if link is not None:
                await connection.execute_fetchall(_END_LINK, who)
                await connection.execute_fetchall(_REMOVE_LINK, who)
            no_longer_after = {"no_longer_after": to_ms(at - RELINK_COOL_DOWN)}
            await connection.execute_fetchall(_REMOVE_ENDED_LINKS, who | no_longer_after)
            _, ended = await _links(read, who)
            snapshots = list(await connection.execute_fetchall(_REMOVE_SNAPSHOTS, who))
            await connection.execute_fetchall(_REMOVE_SIGN_INS, who)
            # Before the pseudonyms go: a row after that would name them anew.
            entry = AuditEntry(guild_id, at, user_id, AuditAction.DATA_ERASED, f"user:{user_id}")
            await write_down(connection, entry)
            await forget_person(connection, guild_id, PseudonymKind.USER, user_id)
            for account in accounts:
                await forget_person(connection, guild_id, PseudonymKind.STEAM, account.value)
            return replace(
                forgotten,
                link=link,
                snapshots=len(snapshots),
                links_kept_until=max((each.ended_at + RELINK_COOL_DOWN for each in ended), default=None),
            )

        return await self._db.write(unit, ended=self._to_be_wiped)

    async def wipe(self) -> None:
        """Have the file written anew, without what was deleted, where somebody was forgotten.

        Not with each forgetting: it makes everybody wait, and anybody could have it done again and again.
        """
        if self._is_to_be_wiped:
            self._is_to_be_wiped = False  # before it: what is forgotten meanwhile is left to the next time
            is_wiped = False
            try:
                is_wiped = await self._db.wipe()
            finally:
                self._is_to_be_wiped |= not is_wiped

    def _to_be_wiped(self) -> None:
        self._is_to_be_wiped = True


async def _forget_resends(connection: aiosqlite.Connection, theirs: Iterable[Resend], at: datetime) -> Erased:
    """Make those nobody's that ended and are no longer counted; say how many, and until when the rest stays."""
    gone, kept = 0, []
    for resend in theirs:
        if resend.state.is_open or resend.requested_at + OPENED_WITHIN > at:
            kept.append(resend)
            continue
        gone += 1
        await connection.execute_fetchall(
            _MAKE_NOBODYS, {"id": resend.id, "facts": nobodys_facts(resend), "at": to_ms(at)}
        )
    is_open = any(resend.state.is_open for resend in kept)
    until = None if is_open else max((resend.requested_at + OPENED_WITHIN for resend in kept), default=None)
    return Erased(link=None, resends=gone, snapshots=0, resends_kept=len(kept), kept_until=until)


async def _links(read: Read, who: Mapping[str, int]) -> tuple[Link | None, tuple[EndedLink, ...]]:
    """Return somebody's link, and those that ended."""
    links = [link_of(row) for row in await read(_LINK, who)]
    return links[0] if links else None, tuple(_ended_link(row) for row in await read(_ENDED_LINKS, who))


async def _accounts(
    read: Read, who: Mapping[str, int], link: Link | None, ended_links: Iterable[EndedLink]
) -> frozenset[SteamId]:
    """Return the accounts that count as theirs, but for an account that is another member's by now."""
    rows = await linkings(read, who["guild_id"], who["user_id"])
    own = accounts_of(who["user_id"], link=link, ended_links=ended_links, linkings=rows)
    return own - {SteamId(row["steam_id"]) for row in await read(_OTHERS, {**who, "accounts": _json(own)})}


async def _resends(read: Read, who: Mapping[str, int], accounts: Iterable[SteamId]) -> tuple[Resend, ...]:
    return tuple(resend_of(row) for row in await read(_RESENDS, {**who, "accounts": _json(accounts)}))


def _json(accounts: Iterable[SteamId]) -> str:
    return json.dumps([account.value for account in accounts])


def _ended_link(row: sqlite3.Row) -> EndedLink:
    return EndedLink(row["guild_id"], row["user_id"], SteamId(row["steam_id"]), from_ms(row["ended_at"]))
