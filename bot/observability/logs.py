"""Logs on stderr, one redacted line per record."""

from __future__ import annotations

import html
import json
import logging
import math
import re
import secrets
import sys
import threading
import traceback
import unicodedata
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import unquote

from bot.domain.normal_forms import normalized

MASK: Final = "••••"

_SHORTEST_SECRET = 4  # masking shorter ones would make every line unreadable

_QUIET: Final = {
    "httpx": logging.WARNING,  # INFO prints whole addresses, query included
    "httpcore": logging.WARNING,  # DEBUG prints headers
    "aiohttp.access": logging.WARNING,
    "aiosqlite": logging.WARNING,  # DEBUG prints statements with their parameters
    "asyncio": logging.WARNING,
    "discord": logging.INFO,  # DEBUG prints whole gateway events: what people typed, and interaction tokens
    "discord.http": logging.WARNING,
}

# Names of secrets, the characters between name and value, and the end of the value: a closing quote or the end of a
# word. Backslashes come from JSON within JSON. Bounds and atomic groups keep the search linear.
_NAMES = r"authorization|api[-_ ]?key|secret|token|passw(?:or)?d|jwt|(?<![^\W_])(?:x[-_])?sign(?:ature)?"
_CODES = r"(?:(?<![^\W_])|trade|verification)code"
_STEMS = ("auth", "key", "secret", "token", "pass", "jwt", "sign", "code")
"""Each of those names contains one of these, in small letters."""
_JOINED = (
    r"""(?>\\{0,8}["'`]?\s*(?:=>|==?|:|%(?:25){0,8}3[da])\s*|\\{0,8}["']\s*,\s*(?=b?\\{0,8}["']))"""
    r"""(?P<open>(?>b?\\{0,8}(?P<quote>["'`])))?(?:(?:bearer|bot|basic|raw)\s+)?"""
)
_VALUE = r"""(?(quote)(?:(?!\\{0,8}(?P=quote)).)*|[^\s&#)>\]},;"'`\\]+)"""
_STATUS_CODE = r"-?\d{1,6}(?![\w-])"  # codes of errors and statuses are logged; a trade's code has 8 digits
_NAMED = re.compile(rf"(?i)(?P<name>(?:{_NAMES}){_JOINED}){_VALUE}")
_CODE = re.compile(rf"(?i)(?P<name>{_CODES}{_JOINED})(?!{_STATUS_CODE}){_VALUE}")
_SHAPED = re.compile(
    r"(?<![\w-])(?:"
    r"eyJ[\w-]{8,}(?:\.[\w-]*)*"  # a JWT, or its beginning
    r"|[\w-]{16,}\.[\w-]{6,}\.[\w-]{20,}"  # a JWT with another beginning, or a Discord bot token
    r"|ap_[\w-]{6,}"  # an AssetPay key
    r")",
    re.ASCII,
)
_DISCORD_PATH = re.compile(r"(?P<name>/(?:webhooks|interactions)/\d+/)[^/\s?\"']+")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&#?\w+;|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_MASKED = rf"\g<name>{MASK}"
_WORD = re.compile(r"\S+")
_LAYERS = 4
_LONGEST = 32_768
_LONGEST_LINE = 4_096
"""Of a traceback: a message must not push its other lines out."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_registered: tuple[str, ...] = ()
"""Secrets to mask, the longest first because one may be part of another."""
_log = logging.getLogger(__name__)


def register_secret(value: str) -> None:
    """Mask ``value`` in all later records, unless it is shorter than four characters."""
    if len(value) >= _SHORTEST_SECRET:
        global _registered  # noqa: PLW0603 -- logging is global, and so are its secrets
        # redact decodes percent and entity spellings, but not those of JSON and repr.
        spellings = {*_registered, value, json.dumps(value)[1:-1], repr(value)[1:-1]}
        _registered = tuple(sorted(spellings, key=len, reverse=True))


def redact(text: str) -> str:
    """Return ``text`` without invisible characters and without anything that is, or looks like, a secret."""
    if not text.isascii():
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    if not text.isascii() or _ENCODED.search(text):
        text = _WORD.sub(lambda word: _mask_encoded(word[0]), text)
    return _mask(text)


def _mask_encoded(word: str) -> str:
    """Return the word decoded and masked if it contains a secret, otherwise as it is."""
    if word.isascii() and not _ENCODED.search(word):
        return word
    plain = word
    for _ in range(_LAYERS):
        plain = _decode(plain)
    masked = _mask(plain)
    return word if masked == plain else masked


def _decode(word: str) -> str:
    """Decode one layer of percent, HTML and backslash encoding, and full-width letters."""
    try:
        plain = html.unescape(unquote(word))
    except ValueError:  # an entity of thousands of digits
        plain = unquote(word)
    plain = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), plain)
    return normalized("NFKC", plain)


def _mask(text: str) -> str:
    for secret in _registered:
        text = text.replace(secret, MASK)
    small = text.lower()
    if not text.isascii() or any(stem in small for stem in _STEMS):  # most lines need no slow search
        text = _NAMED.sub(_MASKED, text)
        text = _CODE.sub(_MASKED, text)
    text = _DISCORD_PATH.sub(_MASKED, text)
    return _SHAPED.sub(MASK, text)


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
    found = (pattern.search(f"{name}={text!r}") for pattern in (_NAMED, _CODE))
    if any(match is not None and match.start() < len(name) for match in found):
        return MASK
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return redact(text)
