"""Audit rows as they are stored: people as pseudonyms, each row chained to the rows before it."""

import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from bot.domain.audit import (
    PERSONAL_DETAILS,
    STAFF_ACTIONS,
    VIEWS,
    AuditAction,
    AuditEntry,
    PseudonymKind,
    acts_as,
    is_for_another,
)
from bot.storage.database import Connection, Row

BEFORE_FIRST = bytes(32)
"""The digest that the first row builds on."""

SALT_BYTES = 16
"""Of a pseudonym, and of a view."""

_PSEUDONYM_LENGTH = 20
"""Hexadecimal digits, 80 bits."""

PSEUDONYM = re.compile(rf"[0-9a-f]{{{_PSEUDONYM_LENGTH}}}", re.ASCII)

_ID_DIGITS = re.compile(r"[0-9]{17}", re.ASCII)
"""Discord ids and SteamIDs have 17 digits and more; a search for an id must not find a pseudonym."""

_KINDS = {kind.value: kind for kind in PseudonymKind}

_SUBJECTS: Mapping[str, PseudonymKind] = {"user": PseudonymKind.USER, "steam": PseudonymKind.STEAM}
"""The subjects that are people, by the word before the colon."""

Read = Callable[[str, Mapping[str, Any]], Awaitable[Iterable[Row]]]
"""Runs one statement and returns its rows: on the reading connection, or inside a job."""

# The id is part of what the digest covers, so it is set here. It follows the last id ever given, not the last row:
# rows cut off at the end leave a gap.
_LAST = """
SELECT coalesce(max(id), 0) AS id, (SELECT digest FROM audit ORDER BY id DESC LIMIT 1) AS digest
FROM (SELECT max(id) AS id FROM audit UNION ALL SELECT seq FROM sqlite_sequence WHERE name = 'audit') AS ends
"""

ADD_ROW = """
INSERT INTO audit (id, digest, salt, guild_id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# CROSS JOIN: each wanted person is looked up in the index, however many there are.
_KNOWN = """
SELECT pseudonyms.kind, pseudonyms.value, pseudonyms.pseudonym
FROM json_each(:people) AS wanted CROSS JOIN pseudonyms
    ON pseudonyms.guild_id = :guild_id
    AND pseudonyms.kind = json_extract(wanted.value, '$[0]')
    AND pseudonyms.value = json_extract(wanted.value, '$[1]')
"""

_PEOPLE_BEHIND = """
SELECT pseudonyms.pseudonym, pseudonyms.kind, pseudonyms.value
FROM json_each(:pseudonyms) AS wanted CROSS JOIN pseudonyms ON pseudonyms.pseudonym = json_extract(wanted.value, '$[0]')
"""

_ADD_PSEUDONYM = "INSERT INTO pseudonyms (pseudonym, guild_id, kind, value, salt) VALUES (?, ?, ?, ?, ?)"

_ERASE_PSEUDONYM = "DELETE FROM pseudonyms WHERE guild_id = :guild_id AND kind = :kind AND value = :value"

_as_json = json.JSONEncoder(separators=(",", ":")).encode


class Columns(NamedTuple):
    """A row without its id and digest, exactly as it is stored."""

    guild_id: int
    at: int
    actor: str | None
    action: str
    subject: str
    detail: str


class Person(NamedTuple):
    """A person that a row names: a Discord id or a SteamID in decimal digits, and in which role."""

    kind: PseudonymKind
    value: str


class Mention(NamedTuple):
    """A pseudonym in a row, and the kind that belongs in its place."""

    pseudonym: str
    kind: PseudonymKind


def digest_of(previous: bytes, number: int, columns: Columns, salt: bytes | None = None) -> bytes:
    """Return the SHA-256 of the previous digest and the row as a JSON list in ASCII, which differs for any two rows.

    Of a view, which has a salt, the list ends with the time, and the digest of its content follows.
    """
    if salt is not None:
        return view_digest(previous, number, columns.at, content_of(columns, salt))
    return hashlib.sha256(previous + _as_json([number, *columns]).encode("ascii")).digest()


def content_of(view: Columns, salt: bytes) -> bytes:
    """Return the SHA-256 of everything in a view that is removed with it; the salt keeps it from being guessed."""
    return hashlib.sha256(salt + _as_json(view).encode("ascii")).digest()


def view_digest(previous: bytes, number: int, at: int, content: bytes) -> bytes:
    """Return a view's digest from what stays when it is removed."""
    return hashlib.sha256(previous + _as_json([number, at]).encode("ascii") + content).digest()


def add_row(connection: Connection, columns: Columns) -> tuple[int, bytes]:
    """Append a row and return its number and digest. The cost does not grow with the log."""
    last, previous = connection.execute(_LAST).fetchone()
    number = last + 1
    salt = secrets.token_bytes(SALT_BYTES) if columns.action in VIEWS else None
    digest = digest_of(previous or BEFORE_FIRST, number, columns, salt)
    connection.execute(ADD_ROW, (number, digest, salt, *columns))
    return number, digest


def person(kind: PseudonymKind, value: str | int) -> Person:
    """Return a person as stored. Characters that no id has are escaped as in JSON: a column cannot hold every text."""
    text = str(value)
    return Person(kind, text if text.isalnum() and text.isascii() else json.dumps(text)[1:-1])


def people_in(entry: AuditEntry) -> Iterator[Person]:
    """Yield every person that an entry names."""
    if entry.actor_id is not None:
        yield person(acts_as(entry), entry.actor_id)
    if (subject := subject_person(entry.subject)) is not None:
        yield subject
    for key, value in entry.detail.items():
        if key in PERSONAL_DETAILS:
            yield person(PERSONAL_DETAILS[key], value)


def subject_person(subject: str) -> Person | None:
    """Return the person that an entry's subject names; None if it is not a person."""
    word, colon, value = subject.partition(":")
    return person(_SUBJECTS[word], value) if colon and word in _SUBJECTS else None


def mentions(action: str, subject: str, actor: str | None, detail: Mapping[str, object]) -> Iterator[Mention]:
    """Yield the pseudonyms in a stored row. Its action may be unknown."""
    if actor is not None:
        links_another = action == AuditAction.LINK_SET and subject != f"user:{actor}"
        is_staff = action in STAFF_ACTIONS or links_another or is_for_another(detail)  # as in acts_as
        yield Mention(actor, PseudonymKind.STAFF if is_staff else PseudonymKind.USER)
    word, colon, value = subject.partition(":")
    if colon and word in _SUBJECTS:
        yield Mention(value, _SUBJECTS[word])
    for key, kind in PERSONAL_DETAILS.items():
        if key in detail:
            yield Mention(str(detail[key]), kind)


def pseudonym_of(salt: bytes, guild_id: int, kind: str, value: str) -> str:
    """Return a person's pseudonym. Without the salt it cannot be found by trying ids."""
    return hashlib.sha256(salt + f"{guild_id}:{kind}:{value}".encode()).hexdigest()[:_PSEUDONYM_LENGTH]


def pseudonyms_for(connection: Connection, guild_id: int, people: Iterable[Person]) -> dict[Person, str]:
    """Return the pseudonym of each person, inside a job; a person without one gets one."""
    wanted = set(people)
    if not wanted:
        return {}
    found = _by_person(connection.execute(_KNOWN, _wanted(guild_id, wanted)))
    new = []
    for one in sorted(wanted - found.keys()):
        salt, found[one] = _new_pseudonym(guild_id, one)
        new.append((found[one], guild_id, one.kind.value, one.value, salt))
    if new:
        connection.executemany(_ADD_PSEUDONYM, new)
    return found


async def known_pseudonyms(read: Read, guild_id: int, people: Iterable[Person]) -> dict[Person, str]:
    """Return the pseudonyms of the people who have one."""
    return _by_person(await read(_KNOWN, _wanted(guild_id, people)))


async def people_behind(read: Read, pseudonyms: Iterable[str]) -> dict[str, Person]:
    """Return the people behind pseudonyms, without those who were erased."""
    rows = await read(_PEOPLE_BEHIND, {"pseudonyms": json.dumps([[one] for one in sorted(set(pseudonyms))])})
    return {row["pseudonym"]: Person(_KINDS[row["kind"]], row["value"]) for row in rows}


def erase_person(connection: Connection, guild_id: int, kind: PseudonymKind, value: int) -> None:
    """Delete a person's pseudonym, inside a job; the log stays as it is and can still be verified.

    A later row about the person gets a new pseudonym, so write the entry about the erasure before. ValueError for
    staff, who answer for what they did to others. The data is gone from the disk after :meth:`Database.wipe`.
    """
    if kind == PseudonymKind.STAFF:
        raise ValueError(kind)
    key = {"guild_id": guild_id, "kind": kind.value, "value": person(kind, value).value}
    connection.execute(_ERASE_PSEUDONYM, key)


def _new_pseudonym(guild_id: int, one: Person) -> tuple[bytes, str]:
    while True:
        salt = secrets.token_bytes(SALT_BYTES)
        pseudonym = pseudonym_of(salt, guild_id, *one)
        if not _ID_DIGITS.search(pseudonym):
            return salt, pseudonym


def _wanted(guild_id: int, people: Iterable[Person]) -> dict[str, int | str]:
    return {"guild_id": guild_id, "people": msgspec.json.encode(list(people)).decode()}


def _by_person(rows: Iterable[Row]) -> dict[Person, str]:
    return {Person(_KINDS[kind], value): pseudonym for kind, value, pseudonym in rows}
