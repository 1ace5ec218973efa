"""What ``skindesk backup`` and ``skindesk restore`` need of each engine."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A database's id, which its copies have too, and when it was created."""

    database_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Backup:
    """A verified copy in its place. ``version`` is the schema's, ``rows`` count the audit log.

    ``at`` is when the copy began; ``identity`` is None before the schema had one.
    """

    at: datetime
    path: Path
    version: int
    size: int
    rows: int
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The number of requests that are unknown now, and of guilds whose resends are paused."""

    in_doubt: int
    guilds_paused: int


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore.

    ``replaced`` is where the former content is kept. ``saved_until`` is the time of the copy's newest audit row.
    """

    replaced: Path | None
    version: int
    migrated_from: int
    saved_until: datetime | None
    prepared: Prepared


class Maintenance(Protocol):
    """The database that the configuration names. Methods raise StorageError and OSError."""

    @property
    def name(self) -> str:
        """The database, for people."""
        ...

    def missing(self) -> str | None:
        """Return why there is no database to copy; None if there may be one."""
        ...

    def back_up(self, destination: Path) -> Backup:
        """Copy it to ``destination``, or to a dated name in that folder, and verify the copy."""
        ...

    def note_backup(self, made: Backup) -> None:
        """Note when it was backed up, for the metrics."""
        ...

    def delete_oldest(self, made: Backup, keep: int) -> list[Path] | None:
        """Delete its oldest dated copies beside the newest, ``made``; None if it cannot be told which are its own."""
        ...

    def restore(self, source: Path, *, at: datetime) -> Restored:
        """Replace it by a copy, and prepare that: nothing is sent twice."""
        ...

    def accept_recovered(self, *, at: datetime) -> Prepared:
        """Prepare it in its place: it was put back to an earlier state by other means."""
        ...
