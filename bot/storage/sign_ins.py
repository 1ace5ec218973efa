"""Keeps Steam sign-ins under way: by the digest of a token, used once, with nonces that count once."""

import sqlite3
from datetime import datetime, timedelta

import aiosqlite

from bot.domain.errors import SteamAccountTaken
from bot.domain.links import Link, LinkSource, SignIn
from bot.domain.sign_in import NONCE_AHEAD, NONCE_WITHIN
from bot.domain.steam import SteamId
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database, fetch_one
from bot.storage.links import forget_ended, put_link

_BEGIN = """
INSERT INTO sign_ins (digest, guild_id, user_id, expires_at)
VALUES (:digest, :guild_id, :user_id, :expires_at)
ON CONFLICT (guild_id, user_id) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at
"""

_GET = "SELECT * FROM sign_ins WHERE digest = :digest AND expires_at > :at"

_USE_UP = "DELETE FROM sign_ins WHERE digest = :digest"

_SEEN = "SELECT nonce FROM sign_in_nonces WHERE nonce = :nonce"

_SEE = "INSERT INTO sign_in_nonces (nonce, seen_at) VALUES (:nonce, :at)"

_PURGE = (
    "DELETE FROM sign_ins WHERE expires_at <= :at",
    "DELETE FROM sign_in_nonces WHERE seen_at <= :forgettable",
)

_REMEMBERED = NONCE_WITHIN + NONCE_AHEAD + timedelta(minutes=5)
"""Longer than a nonce is accepted, by some minutes for a clock that is set back."""


class SqliteSignInRepository:
    """Sign-ins as rows, one for each user of a guild."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, sign_in: SignIn) -> None:
        """Keep a new one in place of the user's earlier one."""
        row = {
            "digest": sign_in.digest,
            "guild_id": sign_in.guild_id,
            "user_id": sign_in.user_id,
            "expires_at": to_ms(sign_in.expires_at),
        }

        async def unit(connection: aiosqlite.Connection) -> None:
            await connection.execute_fetchall(_BEGIN, row)

        await self._db.write(unit)

    async def get(self, digest: str, *, at: datetime) -> SignIn | None:
        """Return one that can still be used."""
        rows = await self._db.read(_GET, {"digest": digest, "at": to_ms(at)})
        return _sign_in(rows[0]) if rows else None

    async def complete(self, digest: str, *, steam_id: SteamId, nonce: str, at: datetime) -> Link | None:
        """Use it up and link its user, in one transaction; None where it, or the nonce, cannot be used."""

        async def unit(connection: aiosqlite.Connection) -> Link | SteamAccountTaken | None:
            row = await fetch_one(connection, _GET, {"digest": digest, "at": to_ms(at)})
            if row is None or await fetch_one(connection, _SEEN, {"nonce": nonce}) is not None:
                return None
            await connection.execute_fetchall(_USE_UP, {"digest": digest})
            await connection.execute_fetchall(_SEE, {"nonce": nonce, "at": to_ms(at)})
            user_id = row["user_id"]
            try:
                return await put_link(
                    connection, Link(row["guild_id"], user_id, steam_id, LinkSource.SIGN_IN, user_id, at)
                )
            except SteamAccountTaken as taken:
                return taken  # raised here it would undo that the sign-in is used up

        done = await self._db.write(unit)
        if isinstance(done, SteamAccountTaken):
            raise done
        return done

    async def purge(self, *, at: datetime) -> None:
        """Forget what has expired, nonces too old to be accepted, and ended links that make nobody wait."""

        async def unit(connection: aiosqlite.Connection) -> None:
            for statement in _PURGE:
                await connection.execute_fetchall(statement, {"at": to_ms(at), "forgettable": to_ms(at - _REMEMBERED)})
            await forget_ended(connection, at=at)

        await self._db.write(unit)


def _sign_in(row: sqlite3.Row) -> SignIn:
    return SignIn(row["digest"], row["guild_id"], row["user_id"], from_ms(row["expires_at"]))
