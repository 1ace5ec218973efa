"""The ids of requests in a SQLite file."""

from typing_extensions import override

from bot.storage.aftermath import RequestIds
from bot.storage.database import Connection

_HIGHEST = """
SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'resends'), 0),
           coalesce((SELECT max(id) FROM resends), 0)) AS highest
"""

_DELETE = "DELETE FROM sqlite_sequence WHERE name = 'resends'"
_SET = "INSERT INTO sqlite_sequence (name, seq) VALUES ('resends', :highest)"


class SqliteRequestIds(RequestIds):
    """SQLite keeps the highest id of an AUTOINCREMENT column in a table."""

    @override
    def highest(self, connection: Connection) -> int:
        return int(connection.execute(_HIGHEST).fetchone()[0])

    @override
    def skip_to(self, connection: Connection, highest: int) -> None:
        connection.execute(_DELETE)
        connection.execute(_SET, {"highest": highest})
