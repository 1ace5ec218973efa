"""Locks a database file for this process alone, and reports whether another process has it.

The lock file also remembers which database was used at the path, so that a start notices if that one is gone.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.storage.errors import DatabaseInUse, DatabaseNotWritable, DatabaseUnusable

_PRIVATE = 0o600
"""The files hold personal data: only SkinDesk's own account may read them."""

_PATIENCE = 0.5
"""Seconds to wait for an inspection (see :func:`inspecting`), which is faster unless the file is large."""

_RETRY_AFTER = 0.05

_NONE_YET = b"none yet\n"
"""The content of a new lock file. Earlier versions left it empty, and used a database at once."""

_ID = re.compile(r"[0-9a-f]{32}")
_MAX_CONTENT = 1024


@contextmanager
def locked(path: Path) -> Iterator[Path]:
    """Hold the lock beside ``path``, whether the file exists or not, and yield the real path.

    DatabaseInUse if another process has it, DatabaseUnusable if the lock file cannot be opened. The kernel releases the
    lock when the process ends. The lock file stays: if it were removed, a process that waits with the old one open and
    a process that creates a new one would both hold a lock.
    """
    real = path.resolve()  # two names for one file have one lock
    descriptor = _open_lock(real)
    try:
        _lock(real, descriptor)
        yield real
    finally:
        os.close(descriptor)


@contextmanager
def inspecting(path: Path) -> Iterator[bool]:
    """Yield whether a process has ``path``; if none has, none can claim it meanwhile. No file is created.

    Several inspections can run at the same time.
    """
    try:
        descriptor = os.open(lock_of(path.resolve()), os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        yield not _has_shared(descriptor)
    finally:
        os.close(descriptor)


def lock_of(real: Path) -> Path:
    """Return the path of a database's lock file."""
    return real.with_name(real.name + ".lock")


def create(real: Path) -> None:
    """Create the file ``real`` empty if it does not exist; DatabaseUnusable if it cannot be opened."""
    os.close(_open(real, real, os.O_CREAT))


def remembered(real: Path) -> frozenset[str] | None:
    """Return the ids of the databases that belong at ``real``; None if none was used there yet, as far as is known.

    Empty if one was used whose id is unknown.
    """
    try:
        descriptor = os.open(lock_of(real), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        content = os.read(descriptor, _MAX_CONTENT)
    finally:
        os.close(descriptor)
    return None if content == _NONE_YET else frozenset(_ID.findall(content.decode("ascii", "replace")))


def remember(real: Path, *database_ids: str) -> None:
    """Note which databases belong at ``real``: one, or during a restore two. Call it with the lock held; OSError."""
    if remembered(real) == frozenset(database_ids):
        return
    content = "".join(f"{each}\n" for each in database_ids).encode()
    descriptor = os.open(lock_of(real), os.O_WRONLY | os.O_NOFOLLOW)
    try:
        # In place: a new file would not be the one that is locked. A torn content says that there was a database.
        os.pwrite(descriptor, content, 0)
        os.ftruncate(descriptor, len(content))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_lock(database: Path) -> int:
    path = lock_of(database)
    # Root may be restoring in a folder that belongs to another user: no link is followed.
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PRIVATE)
    except FileExistsError:
        return _open(database, path, os.O_CREAT | os.O_NOFOLLOW)
    except OSError as error:
        raise _unusable(database, error) from error
    try:
        os.write(descriptor, _NONE_YET)
    except OSError as error:  # a full disk: without content it would say that there was a database
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise DatabaseNotWritable(database, error.strerror or type(error).__name__) from error
    return descriptor


def _open(database: Path, path: Path, flags: int) -> int:
    try:
        return os.open(path, os.O_RDWR | flags, _PRIVATE)
    except OSError as error:
        raise _unusable(database, error) from error


def _unusable(database: Path, error: OSError) -> DatabaseUnusable:
    return DatabaseUnusable(database, error.strerror or type(error).__name__)


def _lock(database: Path, descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise DatabaseInUse(database) from None
        except OSError as error:
            raise _unusable(database, error) from error
        else:
            return
        time.sleep(_RETRY_AFTER)


def _has_shared(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
