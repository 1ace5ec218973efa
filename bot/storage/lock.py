"""Locks a database file for this process alone, and reports whether another process has it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.storage.errors import DatabaseInUse, DatabaseUnusable

_PRIVATE = 0o600
"""The files hold personal data: only SkinDesk's own account may read them."""

_PATIENCE = 0.5
"""Seconds to wait for an inspection (see :func:`inspecting`), which is faster unless the file is large."""

_RETRY_AFTER = 0.05


@contextmanager
def claimed(path: Path) -> Iterator[Path]:
    """Hold the lock beside ``path`` and yield the file's real path; a missing file is created empty.

    DatabaseInUse if another process has it, DatabaseUnusable if the files cannot be opened.
    """
    with locked(path) as real:
        os.close(_open(real, real))
        yield real


@contextmanager
def locked(path: Path) -> Iterator[Path]:
    """Hold the lock beside ``path``, whether the file exists or not, and yield the real path.

    The kernel releases the lock when the process ends. The lock file stays: if it were removed, a process that waits
    with the old one open and a process that creates a new one would both hold a lock.
    """
    real = path.resolve()  # two names for one file have one lock
    descriptor = _open(real, lock_of(real))
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
        raise DatabaseUnusable(path, error.strerror or type(error).__name__) from error
    try:
        yield not _has_shared(descriptor)
    finally:
        os.close(descriptor)


def lock_of(real: Path) -> Path:
    """Return the path of a database's lock file."""
    return real.with_name(real.name + ".lock")


def _open(database: Path, path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE)
    except OSError as error:
        raise DatabaseUnusable(database, error.strerror or type(error).__name__) from error


def _lock(database: Path, descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise DatabaseInUse(database) from None
        except OSError as error:
            raise DatabaseUnusable(database, error.strerror or type(error).__name__) from error
        else:
            return
        time.sleep(_RETRY_AFTER)


def _has_shared(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
