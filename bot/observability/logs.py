"""Logs on stderr, one redacted line per record."""

from __future__ import annotations

import json
import logging
import math
import re
import secrets
import sys
import threading
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Literal

from bot.observability.log_queue import LogQueue
from bot.observability.redaction import MASK, is_secret, redact
from bot.observability.stderr import Stderr

_QUIET: Final = {
    "httpx": logging.WARNING,  # INFO prints whole addresses, query included
    "httpcore": logging.WARNING,  # DEBUG prints headers
    "aiohttp.access": logging.WARNING,
    "aiosqlite": logging.WARNING,  # DEBUG prints statements with their parameters
    "asyncio": logging.WARNING,
    "discord": logging.INFO,  # DEBUG prints whole gateway events: what people typed, and interaction tokens
    "discord.http": logging.WARNING,
}

_LONGEST = 32_768
_LONGEST_LINE = 4_096
"""Of a traceback: a message must not push its other lines out."""

_FLUSH_WITHIN = 1.0
"""Seconds that lines may take at the end of the program."""

_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (0, 7),
)
"""journald's priority from each level up."""

_FIELDS: Final = frozenset({"time", "level", "logger", "message", "exception"})
"""The names in JSON that no extra may have."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_log = logging.getLogger(__name__)


class RedactingFormatter(logging.Formatter):
    """Formats a record as one redacted line of text: time, level, logger, message, extras, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without a line break."""
        extras = "".join(f" {name}={_quoted(value)}" for name, value in _extras(record).items())
        line = redact(
            "\n".join(
                (f"{_time(record)} {record.levelname} {record.name} {_message(record)}{extras}", *_details(record))
            )
        )
        # Escape line breaks, and anything else that could control a terminal.
        if line.isprintable():
            return line
        return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


class RedactingJsonFormatter(logging.Formatter):
    """Formats a record as one redacted line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without a line break."""
        entry: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(_message(record)),
        }
        for name, value in _extras(record).items():
            key = name
            while key in _FIELDS or key in entry:
                key = f"extra_{key}"
            entry[key] = _redacted(name, value)
        details = "\n".join(_details(record))
        if details:
            entry["exception"] = redact(details)
        return json.dumps(entry, allow_nan=False)


class StderrHandler(logging.Handler):
    """Writes to the current ``sys.stderr``; if that fails, nothing of the record is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            self._write(self.format(record), record.levelno)
        except Exception:  # noqa: BLE001 -- logging must not stop the program
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Report a lost record without its arguments, which logging would print unredacted."""
        with suppress(OSError, ValueError):  # stderr is closed
            self._write(
                f"{_time(record)} ERROR {__name__} a record of {record.name} could not be written", logging.ERROR
            )

    def _write(self, line: str, level: int) -> None:  # noqa: ARG002 -- for a journal
        if sys.stderr is not None:  # None without a console
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


class QueueHandler(StderrHandler):
    """Has a thread write to standard error: the caller never waits for a reader or a disk."""

    def __init__(self, stderr: Stderr) -> None:
        super().__init__()
        self._is_journal = stderr.is_journal
        self.queue = LogQueue(stderr, self._note)

    def flush(self) -> None:
        """Wait a moment until all lines are written. Python does this at its end, and then closes."""
        self.queue.flush(_FLUSH_WITHIN)

    def close(self) -> None:
        """Write later lines at once, if that is possible without waiting."""
        self.queue.close()
        super().close()

    def _write(self, line: str, level: int) -> None:
        self.queue.put(self._encoded(line, level), is_important=level >= logging.ERROR)

    def _note(self, level: int, message: str, *arguments: object) -> bytes:
        return self._encoded(
            self.format(_log.makeRecord(_log.name, level, __file__, 0, message, arguments, None)), level
        )

    def _encoded(self, line: str, level: int) -> bytes:
        if self._is_journal:
            line = f"<{next(priority for least, priority in _PRIORITIES if level >= least)}>{line}"
        return f"{line}\n".encode(errors="backslashreplace")


def configure_logging(level: str, format: Literal["text", "json"], stderr: Stderr | None = None) -> None:  # noqa: A002 -- the setting's name
    """Send records of at least ``level`` to stderr, in this format, instead of an earlier configuration.

    With ``stderr`` a thread writes them from then on; without it this stays as it was.
    """
    root = logging.getLogger()
    handler = next((handler for handler in root.handlers if isinstance(handler, StderrHandler)), None)
    if handler is None or stderr is not None:
        if handler is not None:
            root.removeHandler(handler)
        handler = StderrHandler() if stderr is None else QueueHandler(stderr)
        root.addHandler(handler)
    handler.setFormatter(RedactingJsonFormatter() if format == "json" else RedactingFormatter())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(threshold)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(threshold, least))


def dropped_records() -> int:
    """Return how many records were dropped since the start because standard error took them too slowly."""
    return sum(log_queue.dropped for log_queue in _queues())


def reopen_log() -> None:
    """Open the log file again, if standard error is a file. Signal handlers may call this."""
    for log_queue in _queues():
        log_queue.reopen()


def _queues() -> list[LogQueue]:
    return [handler.queue for handler in logging.getLogger().handlers if isinstance(handler, QueueHandler)]


def log_uncaught() -> None:
    """Log uncaught exceptions and warnings, which Python would print unredacted. For the program, not for tests."""

    def log(error: BaseException | None, where: str) -> None:
        if not isinstance(error, SystemExit):
            _log.error("exception in %s", where, exc_info=error)

    sys.excepthook = lambda _kind, error, _trace: log(error, "the program")
    sys.unraisablehook = lambda lost: log(lost.exc_value, "a finaliser")
    threading.excepthook = lambda lost: log(lost.exc_value, "a thread")
    logging.captureWarnings(capture=True)


def reference() -> str:
    """Return six hex characters that identify an unexpected failure for the user and in the log."""
    return secrets.token_hex(3)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return _beginning(record.getMessage())
    except Exception:  # noqa: BLE001 -- __str__ of an argument fails, or their number is wrong
        return f"{record.msg} (its arguments do not fit)"


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _details(record: logging.LogRecord) -> list[str]:
    """Return the traceback with its causes, and the stack, if the record has them."""
    details = []
    if record.exc_info and record.exc_info[1] is not None:
        lines = "".join(traceback.format_exception(*record.exc_info)).rstrip().split("\n")
        details.append(_beginning("\n".join(_beginning(line, _LONGEST_LINE) for line in lines)))
    elif record.exc_text:
        details.append(record.exc_text)
    if record.stack_info:
        details.append(record.stack_info)
    return details


def _beginning(text: str, longest: int = _LONGEST) -> str:
    """Return a text without its end if it is too long to be redacted at once. No half of a word is kept."""
    if len(text) <= longest:
        return text
    *whole, _ = text[:longest].rsplit(maxsplit=1) or ("",)
    return f"{''.join(whole)} […]"


def _quoted(value: object) -> str:
    text = _beginning(str(value))
    return repr(text) if not text or re.search(r"[\s\"'=]", text) else text


def _redacted(name: str, value: object) -> object:
    """Return an extra for JSON, masked if its name is that of a secret, redacted otherwise."""
    text = _beginning(str(value))
    if is_secret(name, text):
        return MASK
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return redact(text)
