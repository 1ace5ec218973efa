"""Why a database cannot be used. Each is a reason not to start, except DatabaseClosed.

StorageError
├── DatabaseInUse
├── DatabaseTooNew
├── DatabaseUnusable
├── UnknownCapability
├── BackupNotWritten
└── DatabaseClosed
"""

from pathlib import Path


class StorageError(Exception):
    """The database cannot be used."""


class DatabaseInUse(StorageError):
    """Another process has the database open."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class DatabaseTooNew(StorageError):
    """The database was written by a later SkinDesk: its schema is ``found``, this one knows up to ``newest``."""

    def __init__(self, path: Path, *, found: int, newest: int) -> None:
        super().__init__(f"{path}: {found} > {newest}")
        self.path = path
        self.found = found
        self.newest = newest


class DatabaseUnusable(StorageError):
    """The file cannot be opened, is not a database, is another program's, is damaged, or cannot be migrated.

    ``reason`` is the operating system's or SQLite's message.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class UnknownCapability(StorageError):
    """Grants have capabilities that this SkinDesk does not know."""

    def __init__(self, *capabilities: str) -> None:
        super().__init__(", ".join(capabilities))
        self.capabilities = capabilities


class BackupNotWritten(StorageError):
    """A copy could not be written to ``path``; ``reason`` is the operating system's or SQLite's message."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class DatabaseClosed(StorageError):
    """The database is closed."""
