"""A bounded queue of log lines, and the thread that writes them."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

from bot.observability.stderr import Stderr, write_at_once

LIMIT: Final = 4 * 2**20
"""Bytes of lines that wait at most."""

RESERVED: Final = 2**20
"""The part of them that only important lines may fill."""

_BATCH: Final = 65_536


class LogQueue:
    """Takes lines without ever waiting, and writes them to standard error on a thread of its own.

    A line that finds the queue full is dropped and counted. In its place stands a line made by ``note``, which says how
    many were. ``dropped`` is their number since the start. If a write fails, it is repeated each second.
    """

    def __init__(self, stderr: Stderr, note: Callable[..., bytes]) -> None:
        self._stderr = stderr
        self._note = note
        # put() of this queue may be interrupted by a signal handler or a finaliser that logs; no lock may be held.
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._written = threading.Condition(threading.RLock())
        self._waiting = 0
        self._reported = 0
        self._must_reopen = False
        self._is_closed = False
        self.dropped = 0
        # Signals are for the main thread.
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        threading.Thread(target=self._write, name="log", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)

    def put(self, line: bytes, *, is_important: bool) -> None:
        """Write ``line`` soon, or drop it if too many bytes wait. Important ones have a reserve."""
        if self._is_closed:
            write_at_once(line)
            return
        with self._written:
            if self._waiting + len(line) > LIMIT - (0 if is_important else RESERVED):
                self.dropped += 1
                return
            self._report_dropped()
            self._add(line)

    def reopen(self) -> None:
        """Have the file opened again before the next line is written. Signal handlers may call this."""
        self._must_reopen = True
        self._lines.put(b"")

    def flush(self, within: float) -> None:
        """Wait until all lines are written, for at most ``within`` seconds."""
        deadline = time.monotonic() + within
        with self._written:
            while self._waiting and (seconds := deadline - time.monotonic()) > 0:
                self._written.wait(seconds)

    def close(self) -> None:
        """Write later lines at once, if that is possible without waiting: the thread ends with the program."""
        self._is_closed = True

    def _write(self) -> None:
        while True:
            lines = [self._lines.get()]
            size = len(lines[0])
            while size < _BATCH and not self._lines.empty():
                lines.append(self._lines.get())
                size += len(lines[-1])
            self._write_all(b"".join(lines))
            with self._written:
                self._waiting -= size
                if self._lines.empty():
                    self._report_dropped()
                self._written.notify_all()

    def _report_dropped(self) -> None:
        if dropped := self.dropped - self._reported:
            self._reported = self.dropped
            self._add(self._note(logging.WARNING, "%d log records dropped", dropped))

    def _add(self, line: bytes) -> None:
        self._waiting += len(line)
        self._lines.put(line)

    def _write_all(self, data: bytes) -> None:
        remaining = memoryview(data)
        while True:
            if self._must_reopen:
                self._must_reopen = False
                self._reopen()
            if not remaining:
                return
            remaining = remaining[self._stderr.write(remaining) :]

    def _reopen(self) -> None:
        if not self._stderr.is_file:
            return
        try:
            self._stderr.reopen()
        except OSError as error:
            text = "log file not opened again (%s), the old one is still used"
            self.put(self._note(logging.ERROR, text, error.strerror), is_important=True)
