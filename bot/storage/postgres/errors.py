"""Why a PostgreSQL database cannot be used. Each is a reason not to start."""

from bot.storage.errors import StorageError


class ServerUnreachable(StorageError):
    """PostgreSQL does not answer or does not let SkinDesk in; ``reason`` is its message, without the password."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class ServerUnusable(StorageError):
    """The PostgreSQL database is another program's, was written by a later SkinDesk, or cannot be migrated.

    ``name`` is the server and the database.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
