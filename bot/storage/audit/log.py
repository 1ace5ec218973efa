"""Keeps the append-only audit log.

Details are short facts, by name, as text. They never hold what people typed, because only old views can be removed from
the log. Rows name people by pseudonyms, which can be removed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from typing_extensions import override

from bot.domain.audit import PERSONAL_DETAILS, AuditAction, AuditEntry, AuditRow, DamagedRow, PseudonymKind, acts_as
from bot.ports import AuditRepository
from bot.storage.audit.removal import Removal, old_views, remove
from bot.storage.audit.rows import (
    Columns,
    Mention,
    Person,
    Read,
    add_row,
    known_pseudonyms,
    mentions,
    people_behind,
    people_in,
    person,
    pseudonyms_for,
    subject_person,
)
from bot.storage.database import Connection, Database, Row, from_ms, to_ms

# Each part is answered from one index that has its rows in order; the rows themselves are read last. CROSS JOIN keeps
# SQLite from scanning the log and asking of each row whether it was found. Columns are read as bytes: a damaged text
# would end the reading of all rows.
_PART = "SELECT * FROM (SELECT id FROM audit WHERE {} ORDER BY id DESC LIMIT :limit)"
_FOUND = """
SELECT audit.id, audit.guild_id, audit.at, CAST(audit.actor AS BLOB) AS actor, CAST(audit.action AS BLOB) AS action,
    CAST(audit.subject AS BLOB) AS subject, CAST(audit.detail AS BLOB) AS detail, audit.digest
FROM ({}) AS found CROSS JOIN audit ON audit.id = found.id ORDER BY audit.id DESC LIMIT :limit
"""

_IN_GUILD = "guild_id = :guild_id"

_NO_LIMIT = 2**63 - 1

_USER_KINDS = (PseudonymKind.USER, PseudonymKind.STAFF)
"""The kinds of pseudonym that a Discord user can have."""


def append(connection: Connection, entry: AuditEntry) -> AuditRow:
    """Append an entry, inside the job that does what it describes, and return its row."""
    names = pseudonyms_for(connection, entry.guild_id, people_in(entry))
    detail = {
        key: names[person(PERSONAL_DETAILS[key], value)] if key in PERSONAL_DETAILS else value
        for key, value in entry.detail.items()
    }
    columns = Columns(
        guild_id=entry.guild_id,
        at=to_ms(entry.at),
        actor=None if entry.actor_id is None else names[person(acts_as(entry), entry.actor_id)],
        action=entry.action.value,
        subject=_subject_column(entry.subject, names),
        detail=json.dumps(detail),
    )
    number, digest = add_row(connection, columns)
    return AuditRow(
        number=number,
        guild_id=entry.guild_id,
        at=entry.at,
        actor="skindesk" if entry.actor_id is None else f"user:{entry.actor_id}",
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
        digest=digest.hex(),
    )


class SqlAuditRepository(AuditRepository):
    """The log in its own table, whose triggers refuse every change."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def append(self, entry: AuditEntry) -> AuditRow:
        return await self._db.write(partial(append, entry=entry))

    @override
    async def newest(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow]:
        rows = await self.newest_as_found(guild_id, limit=limit, user_id=user_id, action=action, subject=subject)
        return _readable(rows)

    @override
    async def newest_as_found(
        self,
        guild_id: int,
        *,
        limit: int,
        user_id: int | None = None,
        action: AuditAction | None = None,
        subject: str | None = None,
    ) -> Sequence[AuditRow | DamagedRow]:
        """Return the guild's rows that match, newest first by row number.

        The cost depends on ``limit``, not on the size of the log. Only ``user_id`` together with ``subject`` reads all
        rows about the subject.
        """
        people = [] if user_id is None else [person(kind, user_id) for kind in _USER_KINDS]
        target = None if subject is None else subject_person(subject)
        names = await known_pseudonyms(self._db.read, guild_id, people if target is None else [*people, target])
        if target is not None and target not in names:
            return []
        wanted: dict[str, object] = {
            "guild_id": guild_id,
            "action": None if action is None else action.value,
            "subject": None if subject is None else _subject_column(subject, names),
            "limit": max(limit, 0),
        }
        narrow = [f"{column} = :{column}" for column in ("action", "subject") if wanted[column] is not None]
        if user_id is None:
            return await _rows(self._db.read, [_IN_GUILD, *narrow], wanted=wanted)
        alternatives: list[list[str]] = []
        for one in people:
            if one in names:
                wanted[one.kind] = names[one]
                alternatives.append([f"actor = :{one.kind}", *narrow, *([] if subject is None else [_IN_GUILD])])
        if PseudonymKind.USER in wanted:
            wanted["own"] = f"user:{wanted[PseudonymKind.USER]}"
            alternatives.append([_IN_GUILD, "subject = :own", *narrow])
        return await _rows(self._db.read, *alternatives, wanted=wanted)

    @override
    async def remove_views(self, *, before: datetime, limit: int, at: datetime) -> int:
        return await self._db.write(partial(remove_views, before=before, limit=limit, at=at))


def remove_views(connection: Connection, *, before: datetime, limit: int, at: datetime) -> int:
    """Remove the oldest views from before a time, inside a job, and append a row about it for each guild."""
    views = old_views(connection, before=to_ms(before), limit=limit)
    for guild_id in sorted({view.guild_id for view in views}):
        own = [view for view in views if view.guild_id == guild_id]
        removal = Removal(own[0].left.number)
        for view in own:
            removal.add(view.left)
        row = append(connection, AuditEntry(guild_id, at, None, AuditAction.VIEWS_REMOVED, "guild", removal.detail()))
        remove(connection, own, removal=row.number)
    return len(views)


async def rows_about(
    read: Read, guild_id: int, *, user_id: int | None = None, steam_ids: Iterable[int] = ()
) -> tuple[AuditRow, ...]:
    """Return every readable row of a guild that names a user or one of the accounts, as actor, subject or detail."""
    people = [] if user_id is None else [person(kind, user_id) for kind in _USER_KINDS]
    people += [person(PseudonymKind.STEAM, steam_id) for steam_id in steam_ids]
    wanted: dict[str, object] = {"guild_id": guild_id, "limit": _NO_LIMIT}
    alternatives: list[list[str]] = []
    for number, (one, pseudonym) in enumerate((await known_pseudonyms(read, guild_id, people)).items()):
        wanted |= {f"pseudonym{number}": pseudonym, f"subject{number}": f"{one.kind}:{pseudonym}"}
        alternatives += [[_IN_GUILD, f"subject = :subject{number}"], [f"actor = :pseudonym{number}"]]
        alternatives += [
            [f"json_extract(detail, '$.{key}') = :pseudonym{number}"]
            for key, kind in PERSONAL_DETAILS.items()
            if kind is one.kind
        ]
    return tuple(_readable(await _rows(read, *alternatives, wanted=wanted)))


async def link_rows(read: Read, guild_id: int, user_id: int) -> tuple[AuditRow, ...]:
    """Return every row of a guild by which a user was linked, or linked another user."""
    names = await known_pseudonyms(read, guild_id, [person(kind, user_id) for kind in _USER_KINDS])
    wanted: dict[str, object] = {"guild_id": guild_id, "action": AuditAction.LINK_SET.value, "limit": _NO_LIMIT}
    alternatives: list[list[str]] = []
    for one, pseudonym in names.items():
        wanted |= {one.kind.value: pseudonym, f"{one.kind.value}_subject": f"user:{pseudonym}"}
        alternatives += [
            [f"actor = :{one.kind.value}", "action = :action"],
            [_IN_GUILD, f"subject = :{one.kind.value}_subject", "action = :action"],
        ]
    return tuple(_readable(await _rows(read, *alternatives, wanted=wanted)))


class _Stored(NamedTuple):
    """A row as stored, with pseudonyms in it."""

    number: int
    guild_id: int
    at: datetime
    actor: str | None
    action: AuditAction
    subject: str
    detail: Mapping[str, str]
    digest: str

    def mentions(self) -> Iterable[Mention]:
        return mentions(self.action, self.subject, self.actor, self.detail)


async def _rows(read: Read, *alternatives: Sequence[str], wanted: Mapping[str, object]) -> list[AuditRow | DamagedRow]:
    """Return the newest rows for which all conditions of one of the alternatives hold."""
    if not alternatives:
        return []
    parts = " UNION ".join(_PART.format(" AND ".join(conditions)) for conditions in alternatives)
    rows = [_stored(row) for row in await read(_FOUND.format(parts), wanted)]
    mentioned = {one.pseudonym for row in rows if isinstance(row, _Stored) for one in row.mentions()}
    people = await people_behind(read, mentioned)
    return [row if isinstance(row, DamagedRow) else _with_people(row, people) for row in rows]


def _stored(row: Row) -> _Stored | DamagedRow:
    """Return a row of ``_FOUND``. A damaged one may hold any value in any column."""
    try:
        detail = json.loads(row["detail"].decode())
        if not isinstance(detail, dict) or not all(isinstance(value, str) for value in detail.values()):
            return DamagedRow(row["id"])
        return _Stored(
            number=row["id"],
            guild_id=row["guild_id"],
            at=from_ms(row["at"]),
            actor=None if row["actor"] is None else row["actor"].decode(),
            action=AuditAction(row["action"].decode()),
            subject=row["subject"].decode(),
            detail=detail,
            digest=row["digest"].hex(),
        )
    except (AttributeError, OverflowError, TypeError, ValueError):
        return DamagedRow(row["id"])


def _with_people(row: _Stored, people: Mapping[str, Person]) -> AuditRow:
    """Return a row with ids instead of pseudonyms, except for people who were erased."""

    def named(pseudonym: str, word: str = "") -> str:
        one = people.get(pseudonym)
        return f"erased:{pseudonym}" if one is None else f"{word}{one.value}"

    word, _, value = row.subject.partition(":")
    return AuditRow(
        number=row.number,
        guild_id=row.guild_id,
        at=row.at,
        actor="skindesk" if row.actor is None else named(row.actor, "user:"),
        action=row.action,
        subject=row.subject if subject_person(row.subject) is None else named(value, f"{word}:"),
        detail={key: named(value) if key in PERSONAL_DETAILS else value for key, value in row.detail.items()},
        digest=row.digest,
    )


def _subject_column(subject: str, names: Mapping[Person, str]) -> str:
    one = subject_person(subject)
    return subject if one is None else f"{subject.partition(':')[0]}:{names[one]}"


def _readable(rows: Iterable[AuditRow | DamagedRow]) -> list[AuditRow]:
    return [row for row in rows if isinstance(row, AuditRow)]
