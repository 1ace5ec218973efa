"""Asks the same about files on every Python: since 3.14 pathlib's questions hide a file that may not be looked at."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from pathlib import Path


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of what is at ``path``, None if nothing is; OSError if that cannot be found out."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def size_of(path: Path) -> int:
    """Return the bytes of what is at ``path``, 0 if nothing is; OSError if that cannot be found out."""
    status = status_of(path)
    return 0 if status is None else status.st_size


def is_file(path: Path) -> bool:
    """Return whether a regular file is at ``path``; OSError if that cannot be found out."""
    status = status_of(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def is_folder(path: Path) -> bool:
    """Return whether a folder is at ``path``; OSError if that cannot be found out."""
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)
