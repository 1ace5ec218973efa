"""Standard error: what file descriptor 2 is, and how to write to it without waiting for a reader."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_FD: Final = 2
_OUTPUTS: Final = (1, _FD)
_WAIT_SECONDS: Final = 1.0


class Stderr:
    """File descriptor 2 as it was at the start of the program.

    ``is_journal`` says whether journald reads it. A regular file is known by its path, and can be opened again.
    """

    def __init__(self) -> None:
        found = os.fstat(_FD)
        self._path = _path_of(found)
        self.is_journal = os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"

    @property
    def is_file(self) -> bool:
        """Whether :meth:`reopen` does anything."""
        return self._path is not None

    def write(self, data: memoryview) -> int:
        """Write the beginning of ``data`` and return its length, 0 after a second without success."""
        try:
            return os.write(_FD, data)
        except BlockingIOError:  # another program made the pipe or terminal non-blocking, which concerns all its users
            _is_writable(_WAIT_SECONDS)
        except OSError:  # the disk is full, or the reader is gone
            time.sleep(_WAIT_SECONDS)
        return 0

    def reopen(self) -> None:
        """Open the file at its path again, for all who write to it. If that fails, raise OSError and keep the old one.

        A missing file is made with the permissions of the old one. A link or a pipe at the path is refused.
        """
        if self._path is None:
            return
        old = os.fstat(_FD)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        new = os.open(self._path, flags, stat.S_IMODE(old.st_mode))
        try:
            if not stat.S_ISREG(os.fstat(new).st_mode):
                raise OSError(errno.EINVAL, "Not a regular file")
            for output in _OUTPUTS:
                with suppress(OSError):  # stdout may be closed
                    if os.path.samestat(os.fstat(output), old):
                        os.dup2(new, output)
        finally:
            os.close(new)


def occupy_stderr() -> None:
    """Open the null device as standard error if that is closed, or the next file or connection would get the log."""
    try:
        os.fstat(_FD)
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        if null != _FD:
            os.dup2(null, _FD)
            os.close(null)
        sys.stderr = sys.stderr or open(_FD, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- for the program


def write_at_once(data: bytes) -> None:
    """Write a short line to standard error, unless that would wait or fail."""
    if _is_writable(0):
        with suppress(OSError):
            os.write(_FD, data[: select.PIPE_BUF])  # more could wait


def _is_writable(within: float) -> bool:
    poll = select.poll()
    poll.register(_FD, select.POLLOUT)
    return any(events & select.POLLOUT for _, events in poll.poll(within * 1000))


def _path_of(found: os.stat_result) -> Path | None:
    """Return the path of standard error if it is a regular file that is still there."""
    if not stat.S_ISREG(found.st_mode):
        return None
    with suppress(OSError):  # there is no /proc but on Linux
        path = Path(f"/proc/self/fd/{_FD}").readlink()
        if os.path.samestat(path.stat(), found):
            return path
    return None
