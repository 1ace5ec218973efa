"""Keeps who the pseudonyms in the record stand for: nothing else in the file ties the two together."""

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

import aiosqlite
import msgspec

from bot.domain.audit import PseudonymKind

SALT_BYTES = 16

_LENGTH = 20
"""Hexadecimal digits of a pseudonym, 80 bits."""

_READS_AS_AN_ID = re.compile(r"[0-9]{17}", re.ASCII)
"""Discord ids and SteamIDs have 17 digits and more. Who searches a copy of the record for one finds no pseudonym."""

PSEUDONYM = re.compile(rf"[0-9a-f]{{{_LENGTH}}}", re.ASCII)

_KINDS = {kind.value: kind for kind in PseudonymKind}

Read = Callable[[str, Mapping[str, Any]], Awaitable[Iterable[sqlite3.Row]]]
"""Runs one statement and returns its rows: on the reading connection, or inside a unit."""

# The few wanted are looked up one by one in the index, however many persons there are.
_KNOWN = """
SELECT persons.kind, persons.value, persons.pseudonym
FROM json_each(:people) AS wanted CROSS JOIN persons
    ON persons.guild_id = :guild_id
    AND persons.kind = json_extract(wanted.value, '$[0]')
    AND persons.value = json_extract(wanted.value, '$[1]')
"""

_BEHIND = """
SELECT persons.pseudonym, persons.kind, persons.value
FROM json_each(:pseudonyms) AS wanted CROSS JOIN persons ON persons.pseudonym = wanted.value
"""

_ADD = """
INSERT INTO persons (pseudonym, guild_id, kind, value, salt) VALUES (:pseudonym, :guild_id, :kind, :value, :salt)
"""

_FORGET = """
DELETE FROM persons WHERE guild_id = :guild_id AND kind = :kind AND value = :value RETURNING pseudonym
"""


class Person(NamedTuple):
    """Somebody as the record names them: a Discord id or a SteamID, in decimal digits, and as what."""

    kind: PseudonymKind
    value: str


def person(kind: PseudonymKind, value: str | int) -> Person:
    """Return somebody as they are kept.

    Whatever stands where a person belongs is hidden behind a pseudonym, a number or not: it might be about somebody.
    Characters that no id has are escaped as in JSON: not every text can be in a column.
    """
    text = str(value)
    return Person(kind, text if text.isalnum() and text.isascii() else json.dumps(text)[1:-1])


class Pseudonym(NamedTuple):
    """A new pseudonym for somebody, and what proves it."""

    pseudonym: str
    guild_id: int
    kind: PseudonymKind
    value: str
    salt: bytes

    def columns(self) -> dict[str, str | int | bytes]:
        """Return the row that is kept of it."""
        return {**self._asdict(), "kind": self.kind.value}


def pseudonym_of(salt: bytes, guild_id: int, kind: str, value: str) -> str:
    """Return what stands in the record for somebody. Without the salt it cannot be found by trying ids."""
    return hashlib.sha256(salt + f"{guild_id}:{kind}:{value}".encode()).hexdigest()[:_LENGTH]


def introduce(guild_id: int, somebody: Person) -> Pseudonym:
    """Give somebody a pseudonym that nobody had before, and that is not taken for anybody's id."""
    while True:
        salt = secrets.token_bytes(SALT_BYTES)
        pseudonym = pseudonym_of(salt, guild_id, *somebody)
        if not _READS_AS_AN_ID.search(pseudonym):
            return Pseudonym(pseudonym, guild_id, *somebody, salt)


def named(connection: sqlite3.Connection, guild_id: int, people: Iterable[Person]) -> dict[Person, str]:
    """Return everybody's pseudonyms, inside a unit and on its thread; who has none gets one."""
    wanted = set(people)
    if not wanted:
        return {}
    found = _pseudonyms(connection.execute(_KNOWN, _wanted(guild_id, wanted)))
    new = [introduce(guild_id, somebody) for somebody in sorted(wanted - found.keys())]
    if new:
        connection.executemany(_ADD, [one.columns() for one in new])
    return found | {Person(one.kind, one.value): one.pseudonym for one in new}


async def add(connection: aiosqlite.Connection, introductions: Iterable[Pseudonym]) -> None:
    """Keep who new pseudonyms stand for, inside a unit."""
    cursor = await connection.executemany(_ADD, [one.columns() for one in introductions])
    await cursor.close()


async def known(read: Read, guild_id: int, people: Iterable[Person]) -> dict[Person, str]:
    """Return the pseudonyms of those who have one."""
    return _pseudonyms(await read(_KNOWN, _wanted(guild_id, people)))


def _wanted(guild_id: int, people: Iterable[Person]) -> dict[str, int | str]:
    return {"guild_id": guild_id, "people": msgspec.json.encode(list(people)).decode()}


def _pseudonyms(rows: Iterable[sqlite3.Row]) -> dict[Person, str]:
    return {Person(_KINDS[kind], value): pseudonym for kind, value, pseudonym in rows}


async def behind(read: Read, pseudonyms: Iterable[str]) -> dict[str, Person]:
    """Return whom pseudonyms stand for; those of the forgotten are missing."""
    rows = await read(_BEHIND, {"pseudonyms": json.dumps(sorted(set(pseudonyms)))})
    return {row["pseudonym"]: Person(PseudonymKind(row["kind"]), row["value"]) for row in rows}


async def forget_person(connection: aiosqlite.Connection, guild_id: int, kind: PseudonymKind, value: int) -> bool:
    """Delete, inside a unit, whom a pseudonym stands for; False where the guild's record never named them.

    The record itself stays as it is and can be verified as before; what is written about them later gets a new
    pseudonym. So an entry that tells of the forgetting belongs before it. ValueError for the staff: what they did to
    others they answer for, and :meth:`AuditRepository.verify` misses them. What was deleted is gone from the disk
    only after :meth:`Database.wipe`.
    """
    if kind == PseudonymKind.STAFF:
        raise ValueError(kind)
    key = {"guild_id": guild_id, "kind": kind.value, "value": person(kind, value).value}
    return bool(list(await connection.execute_fetchall(_FORGET, key)))
