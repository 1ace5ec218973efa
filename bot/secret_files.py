"""Reads a secret from a file of its own, in which containers and systemd hand secrets over."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISREG
from typing import Final

_MOST_KIBIBYTES: Final = 16


def read_secret(file: Path) -> str:
    """Return the one line in ``file``. Raise ValueError, with a message that never quotes the content, if it has none.

    Line breaks and blanks around it are removed, as they are from environment variables.
    """
    try:
        content = _content(file)
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        raise ValueError(f"{_shown(file)} cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise ValueError(f"{_shown(file)} is not UTF-8 text") from None
    if not text:
        raise ValueError(f"{_shown(file)} is empty")
    if len(text.splitlines()) > 1:
        raise ValueError(f"{_shown(file)} has several lines, and should have only the secret")
    return text


def _content(file: Path) -> bytes:
    """Return what is in the file, if it is a regular and small one: a pipe would wait for its writer."""
    if not S_ISREG(file.stat().st_mode):
        raise ValueError(f"{_shown(file)} is not a file")
    with file.open("rb") as opened:
        content = opened.read(_MOST_KIBIBYTES * 1024 + 1)
    if len(content) > _MOST_KIBIBYTES * 1024:
        raise ValueError(f"{_shown(file)} is larger than {_MOST_KIBIBYTES} KiB")
    return content


def _shown(file: Path) -> str:
    """Return how to name ``file``: not by its path if that may be the secret itself, written in the file's place."""
    return str(file) if file.is_absolute() or os.path.lexists(Path(*file.parts[:1])) else "The file"
