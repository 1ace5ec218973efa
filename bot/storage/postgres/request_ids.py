"""The ids of requests in a PostgreSQL database."""

from typing_extensions import override

from bot.storage.aftermath import RequestIds
from bot.storage.database import Connection

_HIGHEST = """
SELECT greatest(
    coalesce(pg_sequence_last_value(pg_get_serial_sequence('resends', 'id')::regclass), 0),
    coalesce((SELECT max(id) FROM resends), 0)
)
"""

_SKIP_TO = "SELECT setval(pg_get_serial_sequence('resends', 'id'), :highest)"


class PostgresRequestIds(RequestIds):
    """PostgreSQL keeps the highest id in a sequence."""

    @override
    def highest(self, connection: Connection) -> int:
        return int(connection.execute(_HIGHEST).fetchone()[0])

    @override
    def skip_to(self, connection: Connection, highest: int) -> None:
        if highest:
            connection.execute(_SKIP_TO, {"highest": highest})
