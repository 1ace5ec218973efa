"""Keeps the moments at which the processes on one database begin sessions with Discord."""

from bot.ports.identify import IDENTIFY_EVERY
from bot.storage.postgres.database import PostgresDatabase

_BEGIN = """
INSERT INTO identify_slots (bucket, free_at)
VALUES (:bucket, clock_timestamp() + make_interval(secs => CAST(:every AS double precision)))
ON CONFLICT (bucket) DO UPDATE SET free_at = EXCLUDED.free_at
"""
_TAKE = _BEGIN + "WHERE identify_slots.free_at <= clock_timestamp() RETURNING bucket"
_WAIT = "SELECT extract(epoch FROM free_at - clock_timestamp()) FROM identify_slots WHERE bucket = :bucket"

_SHORTEST_WAIT = 0.01


class PostgresIdentifySlots:
    """One row a bucket, on the server's clock."""

    def __init__(self, database: PostgresDatabase, *, every: float = IDENTIFY_EVERY) -> None:
        self._database = database
        self._every = every

    async def take(self, bucket: int) -> float:
        """Take a bucket, and return 0; if it is not free, return the seconds until it may be. DatabaseUnavailable."""
        if await self._database.run(_TAKE, {"bucket": bucket, "every": self._every}):
            return 0.0
        ((wait,),) = await self._database.run(_WAIT, {"bucket": bucket})
        return max(_SHORTEST_WAIT, float(wait))

    async def began(self, bucket: int) -> None:
        """Keep a bucket from now on. DatabaseUnavailable."""
        await self._database.run(_BEGIN, {"bucket": bucket, "every": self._every})
