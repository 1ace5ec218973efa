"""Keeps when the database was backed up last, in a file beside it, ``<name>.backups``."""

import json
import os
import secrets
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_ANYONE_MAY_READ = 0o644
"""Root may have made the backup, SkinDesk must read the record. Its folder decides who can."""

_MAX_SIZE = 16_384


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """A verified copy: when it was made, where, and the id of its database, None before the schema had one."""

    at: datetime
    path: Path
    database_id: str | None = None


def last_backup(database: Path) -> BackupRecord | None:
    """Return the newest copy made with ``skindesk backup``, None if there is none or the record cannot be read."""
    try:
        # A link or a pipe there is not the record: root reads it, too.
        descriptor = os.open(record_of(database.resolve()), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            fields = json.loads(os.read(descriptor, _MAX_SIZE))
        finally:
            os.close(descriptor)
        at, database_id = datetime.fromisoformat(fields["at"]), fields["database_id"]
        if at.tzinfo is None or not isinstance(database_id, str | None):
            return None
        return BackupRecord(at, Path(fields["path"]), database_id)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def note_backup(database: Path, record: BackupRecord) -> None:
    """Replace the record of ``database``; OSError.

    Root may call it, for a database in a folder of another user: no link there is followed, and only a new file is
    written, which then takes the record's name.
    """
    target = record_of(database.resolve())
    fields = {"at": record.at.isoformat(), "path": str(record.path.absolute()), "database_id": record.database_id}
    partial = f".{target.name}.{secrets.token_hex(8)}.partial"
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        try:
            os.write(descriptor, json.dumps(fields).encode())
            os.fchmod(descriptor, _ANYONE_MAY_READ)
            os.fsync(descriptor)
        except OSError:
            os.unlink(partial, dir_fd=folder)
            raise
        finally:
            os.close(descriptor)
        os.replace(partial, target.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)


def record_of(real: Path) -> Path:
    """Return the path of a database's record."""
    return real.with_name(f"{real.name}.backups")
