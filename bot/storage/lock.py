"""Claims a database file for this process alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.storage.errors import DatabaseInUse, DatabaseUnusable

_PRIVATE = 0o600
"""What is kept is about people: files made here are for the account that SkinDesk runs under."""


@contextmanager
def claimed(path: Path) -> Iterator[Path]:
    """Hold the lock beside ``path`` and give the file's real path; an empty file is made where there was none.

    The kernel drops the lock with the process, however that ends. The lock's file stays: were it removed, a process
    that waits with the old one open and a process that makes a new one would both believe they are alone.
    DatabaseInUse where another holder has it, DatabaseUnusable where the files cannot be opened.
    """
    real = path.resolve()  # two names for one file have one lock
    descriptor = _open(real, real.with_name(real.name + ".lock"))
    try:
        _lock(real, descriptor)
        os.close(_open(real, real))
        yield real
    finally:
        os.close(descriptor)


def _open(database: Path, path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE)
    except OSError as error:
        raise DatabaseUnusable(database, error.strerror or type(error).__name__) from error


def _lock(database: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DatabaseInUse(database) from None
    except OSError as error:
        raise DatabaseUnusable(database, error.strerror or type(error).__name__) from error
