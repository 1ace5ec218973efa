"""Claims a database file for this process alone, and says whether another one has it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.storage.errors import DatabaseInUse, DatabaseUnusable

_PRIVATE = 0o600
"""What is kept is about people: files made here are for the account that SkinDesk runs under."""

_PATIENCE = 0.5
"""Seconds to wait for somebody who only looks (see :func:`looked_at`), which takes less unless the file is large."""

_ASKED_AGAIN = 0.05


@contextmanager
def claimed(path: Path) -> Iterator[Path]:
    """Hold the lock beside ``path`` and give the file's real path; an empty file is made where there was none.

    DatabaseInUse where another holder has it, DatabaseUnusable where the files cannot be opened.
    """
    with locked(path) as real:
        os.close(_open(real, real))
        yield real


@contextmanager
def locked(path: Path) -> Iterator[Path]:
    """Hold the lock beside ``path``, whether there is a file at ``path`` or not, and give the real path.

    The kernel drops the lock with the process, however that ends. The lock's file stays: were it removed, a process
    that waits with the old one open and a process that makes a new one would both believe they are alone.
    """
    real = path.resolve()  # two names for one file have one lock
    descriptor = _open(real, lock_of(real))
    try:
        _lock(real, descriptor)
        yield real
    finally:
        os.close(descriptor)


@contextmanager
def looked_at(path: Path) -> Iterator[bool]:
    """Say whether a process has ``path``; where none has, none gets it while this lasts. Nothing is made.

    Any number may look at the same time.
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
    """Return where the lock of a database is."""
    return real.with_name(real.name + ".lock")


def _open(database: Path, path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE)
    except OSError as error:
        raise DatabaseUnusable(database, error.strerror or type(error).__name__) from error


def _lock(database: Path, descriptor: int) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                raise DatabaseInUse(database) from None
        except OSError as error:
            raise DatabaseUnusable(database, error.strerror or type(error).__name__) from error
        else:
            return
        time.sleep(_ASKED_AGAIN)


def _has_shared(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
