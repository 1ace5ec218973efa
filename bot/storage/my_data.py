"""Reads what the tables hold about one member of a guild, and erases it."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from typing_extensions import override

from bot.domain.audit import AuditAction, AuditEntry, PseudonymKind
from bot.domain.links import RELINK_COOL_DOWN, EndedLink, Link
from bot.domain.my_data import Erased, StoredData, accounts_of
from bot.domain.resends import OPENED_WITHIN, Resend, TradeFacts
from bot.domain.steam import SteamId
from bot.ports import MyDataRepository
from bot.storage.audit.log import SqlAuditRepository, append, link_rows, rows_about
from bot.storage.audit.rows import Read, erase_person
from bot.storage.database import Connection, Database, Row, to_ms
from bot.storage.links import ended_link_of, link_of
from bot.storage.notes import note_of
from bot.storage.references import OF_USER as ERRORS_OF_USER
from bot.storage.references import errors_of
from bot.storage.resend_rows import facts_text, resend_of
from bot.storage.watches import watches_of

_LINK = "SELECT * FROM links WHERE guild_id = :guild_id AND user_id = :user_id"

_ENDED_LINKS = "SELECT * FROM ended_links WHERE guild_id = :guild_id AND user_id = :user_id ORDER BY ended_at, steam_id"

# A request for an account's trade belongs to the user to whom the account was linked then, not to a later one.
_RESENDS = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND erased_at IS NULL AND (
    requested_by = :user_id OR owner_user_id = :user_id
    OR owner_user_id IS NULL AND owner IN (SELECT CAST(value AS BIGINT) FROM json_each(:accounts))
)
ORDER BY id
"""

_SNAPSHOTS = "SELECT count(*) AS number FROM snapshots WHERE guild_id = :guild_id AND user_id = :user_id"

_WATCHES = "SELECT * FROM watches WHERE guild_id = :guild_id AND user_id = :user_id ORDER BY id"

_MAX_VIEWS_OF_ALL = 1_000
"""The newest staff views of everyone's trades that are shown to each member."""

_OTHERS = """
SELECT steam_id FROM links
WHERE guild_id = :guild_id AND user_id <> :user_id
  AND steam_id IN (SELECT CAST(value AS BIGINT) FROM json_each(:accounts))
"""

_REMOVE_LINK = "DELETE FROM links WHERE guild_id = :guild_id AND user_id = :user_id"

# With its cool-down: erasing one's data must not be a way around it.
_END_LINK = """
INSERT INTO ended_links (guild_id, user_id, steam_id, ended_at, resends_from)
SELECT guild_id, user_id, steam_id, :at, resends_from FROM links WHERE guild_id = :guild_id AND user_id = :user_id
ON CONFLICT (guild_id, user_id, steam_id) DO UPDATE SET
    ended_at = excluded.ended_at, resends_from = excluded.resends_from
"""

_REMOVE_ENDED_LINKS = """
DELETE FROM ended_links WHERE guild_id = :guild_id AND user_id = :user_id AND ended_at <= :ended_before
"""

_REMOVE_SNAPSHOTS = "DELETE FROM snapshots WHERE guild_id = :guild_id AND user_id = :user_id"

_REMOVE_WATCHES = "DELETE FROM watches WHERE guild_id = :guild_id AND user_id = :user_id"

# Those of the staff name the account too.
_REMOVE_WATCHES_OF_OTHERS = """
DELETE FROM watches WHERE guild_id = :guild_id AND owner IN (SELECT CAST(value AS BIGINT) FROM json_each(:accounts))
"""

# As with requests: a note written while the account was another member's is about that member.
_ABOUT_THEM = """
FROM notes
WHERE guild_id = :guild_id AND (
    user_id = :user_id OR user_id IS NULL AND steam_id IN (SELECT CAST(value AS BIGINT) FROM json_each(:accounts))
)
"""

_NOTES = f"SELECT * {_ABOUT_THEM} ORDER BY id"

_REMOVE_NOTES = f"DELETE {_ABOUT_THEM}"

_REMOVE_ERRORS = "DELETE FROM error_references WHERE guild_id = :guild_id AND user_id = :user_id"

_REMOVE_SIGN_INS = "DELETE FROM sign_ins WHERE guild_id = :guild_id AND user_id = :user_id"

_ERASE_RESEND = """
UPDATE resends SET
    requested_by = 0, owner = 0, owner_user_id = NULL, reason = NULL, decision_reason = NULL, outcome_detail = NULL,
    notes = '[]', facts = :facts, asked_facts = NULL, language = NULL, erased_at = :at
WHERE id = :id
"""


class SqlMyDataRepository(MyDataRepository):
    """One member's data in all tables that hold any."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._is_wipe_due = True  # SkinDesk may have stopped before the last one

    @override
    async def of_user(self, guild_id: int, user_id: int) -> StoredData:
        who = {"guild_id": guild_id, "user_id": user_id}
        # The links before the log, which then has a row for each link found here.
        link, ended_links = await _links(self._db.read, who)
        accounts = await _accounts(self._db.read, who, link, ended_links)
        linked = [link.steam_id.value] if link is not None and link.steam_id in accounts else []
        about_them = await rows_about(self._db.read, guild_id, user_id=user_id, steam_ids=linked)
        views_of_all = await SqlAuditRepository(self._db).newest(
            guild_id, limit=_MAX_VIEWS_OF_ALL, action=AuditAction.TRADES_VIEWED, subject="guild"
        )
        rows = {row.number: row for row in (*about_them, *views_of_all)}
        ((snapshots,),) = await self._db.read(_SNAPSHOTS, who)
        return StoredData(
            link=link,
            ended_links=ended_links,
            accounts=accounts,
            resends=await _resends(self._db.read, who, accounts),
            audit=tuple(rows[number] for number in sorted(rows, reverse=True)),
            snapshots=snapshots,
            watches=watches_of(await self._db.read(_WATCHES, who)),
            notes=tuple(map(note_of, await self._db.read(_NOTES, {**who, "accounts": _json(accounts)}))),
            errors=errors_of(await self._db.read(ERRORS_OF_USER, who | {"since": 0})),
        )

    @override
    async def erase(self, guild_id: int, user_id: int, *, at: datetime) -> Erased:
        def job(connection: Connection) -> Erased:
            return asyncio.run(_erase(connection, guild_id, user_id, at))  # nothing in it waits

        return await self._db.write(job, on_done=self._require_wipe)

    @override
    async def wipe(self) -> None:
        """Remove erased data from the disk, if any was erased since the last time.

        It is not part of :meth:`erase`: it makes every write wait, and any member could cause it again and again.
        """
        if self._is_wipe_due:
            self._is_wipe_due = False  # before it: later erasures are left to the next time
            is_wiped = False
            try:
                is_wiped = await self._db.wipe()
            finally:
                self._is_wipe_due |= not is_wiped

    def _require_wipe(self) -> None:
        self._is_wipe_due = True


async def _erase(connection: Connection, guild_id: int, user_id: int, at: datetime) -> Erased:
    async def read(sql: str, parameters: Mapping[str, Any]) -> Iterable[Row]:
        return connection.execute(sql, parameters).fetchall()

    who = {"guild_id": guild_id, "user_id": user_id, "at": to_ms(at)}
    link, ended_links = await _links(read, who)
    accounts = await _accounts(read, who, link, ended_links)
    erased = _erase_resends(connection, await _resends(read, who, accounts), at)
    if link is not None:
        connection.execute(_END_LINK, who)
        connection.execute(_REMOVE_LINK, who)
    connection.execute(_REMOVE_ENDED_LINKS, who | {"ended_before": to_ms(at - RELINK_COOL_DOWN)})
    _, ended_links = await _links(read, who)
    snapshots = connection.execute(_REMOVE_SNAPSHOTS, who).rowcount
    watches = connection.execute(_REMOVE_WATCHES, who).rowcount
    connection.execute(_REMOVE_WATCHES_OF_OTHERS, who | {"accounts": _json(accounts)})
    notes = connection.execute(_REMOVE_NOTES, {**who, "accounts": _json(accounts)}).rowcount
    errors = connection.execute(_REMOVE_ERRORS, who).rowcount
    connection.execute(_REMOVE_SIGN_INS, who)
    # Before the pseudonyms are deleted: a later row would name the member again.
    append(connection, AuditEntry(guild_id, at, user_id, AuditAction.DATA_ERASED, f"user:{user_id}"))
    erase_person(connection, guild_id, PseudonymKind.USER, user_id)
    for account in accounts:
        erase_person(connection, guild_id, PseudonymKind.STEAM, account.value)
    kept_until = max((each.ended_at + RELINK_COOL_DOWN for each in ended_links), default=None)
    return replace(
        erased,
        link=link,
        snapshots=snapshots,
        watches=watches,
        notes=notes,
        errors=errors,
        links_kept_until=kept_until,
    )


def _erase_resends(connection: Connection, resends: Iterable[Resend], at: datetime) -> Erased:
    """Erase the requests that ended and no longer count; return how many, and until when the others stay."""
    erased, kept = 0, []
    for resend in resends:
        if resend.state.is_open or resend.requested_at + OPENED_WITHIN > at:
            kept.append(resend)
            continue
        erased += 1
        facts = TradeFacts(resend.facts.status, (), (), offer_id="", last_error="", code_digest=None)
        connection.execute(_ERASE_RESEND, {"id": resend.id, "facts": facts_text(facts), "at": to_ms(at)})
    is_open = any(resend.state.is_open for resend in kept)
    until = None if is_open else max((resend.requested_at + OPENED_WITHIN for resend in kept), default=None)
    return Erased(link=None, resends=erased, snapshots=0, resends_kept=len(kept), kept_until=until)


async def _links(read: Read, who: Mapping[str, int]) -> tuple[Link | None, tuple[EndedLink, ...]]:
    """Return a member's link and ended links."""
    links = [link_of(row) for row in await read(_LINK, who)]
    return links[0] if links else None, tuple(ended_link_of(row) for row in await read(_ENDED_LINKS, who))


async def _accounts(
    read: Read, who: Mapping[str, int], link: Link | None, ended_links: Iterable[EndedLink]
) -> frozenset[SteamId]:
    """Return the accounts that count as the member's, without those that are linked to another member by now."""
    rows = await link_rows(read, who["guild_id"], who["user_id"])
    own = accounts_of(who["user_id"], link=link, ended_links=ended_links, linkings=rows)
    return own - {SteamId(row["steam_id"]) for row in await read(_OTHERS, {**who, "accounts": _json(own)})}


async def _resends(read: Read, who: Mapping[str, int], accounts: Iterable[SteamId]) -> tuple[Resend, ...]:
    return tuple(resend_of(row) for row in await read(_RESENDS, {**who, "accounts": _json(accounts)}))


def _json(accounts: Iterable[SteamId]) -> str:
    return json.dumps([account.value for account in accounts])
