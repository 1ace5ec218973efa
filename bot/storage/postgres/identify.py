"""Reserves the moments at which the processes on one database begin sessions with Discord."""

from bot.ports.identify import IDENTIFY_EVERY
from bot.storage.postgres.database import PostgresDatabase

_RESERVE = """
INSERT INTO identify_slots (bucket, free_at)
VALUES (:bucket, clock_timestamp() + make_interval(secs => CAST(:every AS double precision)))
ON CONFLICT (bucket) DO UPDATE SET
    free_at = greatest(identify_slots.free_at, clock_timestamp())
        + make_interval(secs => CAST(:every AS double precision))
RETURNING extract(epoch FROM free_at - clock_timestamp()) - CAST(:every AS double precision)
"""


class PostgresIdentifySlots:
    """One row a bucket, on the server's clock."""

    def __init__(self, database: PostgresDatabase, *, every: float = IDENTIFY_EVERY) -> None:
        self._database = database
        self._every = every

    async def reserve(self, bucket: int) -> float:
        """Reserve the next IDENTIFY of a bucket; return the seconds until it may be sent. DatabaseUnavailable."""
        ((wait,),) = await self._database.run(_RESERVE, {"bucket": bucket, "every": self._every})
        return max(0.0, float(wait))
