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
from datetime import UTC, datetime
from typing import Any, Final, Literal

from bot.observability.redaction import MASK, is_secret, redact

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
            entry[f"extra_{name}" if name in entry else name] = _redacted(name, value)
        details = "\n".join(_details(record))
        if details:
            entry["exception"] = redact(details)
        return json.dumps(entry, allow_nan=False)


class StderrHandler(logging.Handler):
    """Writes to the current ``sys.stderr``; if that fails, nothing of the record is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            self._write(self.format(record))
        except Exception:  # noqa: BLE001 -- logging must not stop the program
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Report a lost record without its arguments, which logging would print unredacted."""
        try:
            self._write(f"{_time(record)} ERROR {__name__} a record of {record.name} could not be written")
        except (OSError, ValueError):  # stderr is closed
            return

    def _write(self, line: str) -> None:
        if sys.stderr is not None:  # None without a console
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def configure_logging(level: str, format: Literal["text", "json"]) -> None:  # noqa: A002 -- the setting's name
    """Send records of at least ``level`` to stderr, instead of an earlier configuration."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, StderrHandler)]:
        root.removeHandler(handler)
    handler = StderrHandler()
    handler.setFormatter(RedactingJsonFormatter() if format == "json" else RedactingFormatter())
    root.addHandler(handler)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(threshold)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(threshold, least))


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
