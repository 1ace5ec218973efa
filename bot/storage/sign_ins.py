"""Keeps Steam sign-ins in progress: by the digest of a token that works once, with nonces that count once."""

from datetime import datetime, timedelta

from typing_extensions import override

from bot.domain.errors import SteamAccountTaken
from bot.domain.links import Link, LinkSource, SignIn
from bot.domain.sign_in import NONCE_AHEAD, NONCE_WITHIN
from bot.domain.steam import SteamId
from bot.ports import SignInRepository
from bot.storage.database import Connection, Database, Row, from_ms, to_ms
from bot.storage.links import purge_ended, put_link

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
    "DELETE FROM sign_in_nonces WHERE seen_at <= :seen_before",
)

_NONCES_KEPT_FOR = NONCE_WITHIN + NONCE_AHEAD + timedelta(minutes=5)
"""Longer than a nonce is accepted, by some minutes in case the clock is set back."""


class SqlSignInRepository(SignInRepository):
    """Sign-ins as rows, one for each user of a guild."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @override
    async def begin(self, sign_in: SignIn) -> None:
        row = {
            "digest": sign_in.digest,
            "guild_id": sign_in.guild_id,
            "user_id": sign_in.user_id,
            "expires_at": to_ms(sign_in.expires_at),
        }

        def job(connection: Connection) -> None:
            connection.execute(_BEGIN, row)

        await self._db.write(job)

    @override
    async def get(self, digest: str, *, at: datetime) -> SignIn | None:
        rows = await self._db.read(_GET, {"digest": digest, "at": to_ms(at)})
        return _sign_in(rows[0]) if rows else None

    @override
    async def complete(self, digest: str, *, steam_id: SteamId, nonce: str, at: datetime) -> Link | None:
        def job(connection: Connection) -> Link | SteamAccountTaken | None:
            row = connection.execute(_GET, {"digest": digest, "at": to_ms(at)}).fetchone()
            if row is None or connection.execute(_SEEN, {"nonce": nonce}).fetchone() is not None:
                return None
            connection.execute(_USE_UP, {"digest": digest})
            connection.execute(_SEE, {"nonce": nonce, "at": to_ms(at)})
            link = Link(row["guild_id"], row["user_id"], steam_id, LinkSource.SIGN_IN, row["user_id"], at)
            try:
                return put_link(connection, link)
            except SteamAccountTaken as taken:
                return taken  # raised here, it would roll back that the sign-in is used up

        done = await self._db.write(job)
        if isinstance(done, SteamAccountTaken):
            raise done
        return done

    @override
    async def purge(self, *, at: datetime) -> None:
        def job(connection: Connection) -> None:
            for statement in _PURGE:
                connection.execute(statement, {"at": to_ms(at), "seen_before": to_ms(at - _NONCES_KEPT_FOR)})
            purge_ended(connection, at=at)

        await self._db.write(job)


def _sign_in(row: Row) -> SignIn:
    return SignIn(row["digest"], row["guild_id"], row["user_id"], from_ms(row["expires_at"]))
