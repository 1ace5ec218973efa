"""What every part of the loopback Discord says on the wire: ids, refusals, and what a request was."""

import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

Json = dict[str, Any]

_EPOCH_MS = 1_420_070_400_000
_ID_TIME_SHIFT = 22
_serial = itertools.count()
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def new_id() -> int:
    """Return an unused snowflake. It carries the present time, from which discord.py reads a token's age."""
    milliseconds = time.time_ns() // 1_000_000 - _EPOCH_MS
    return milliseconds << _ID_TIME_SHIFT | next(_serial) % (1 << _ID_TIME_SHIFT)


def timestamp() -> str:
    """Return the present time as Discord writes it."""
    return datetime.now(UTC).isoformat()


def encoded(payload: Any) -> str:
    """Return ``payload`` as compact JSON."""
    return _encode(payload)


class Refusal(Enum):
    """A refusal as Discord words it: HTTP status, JSON error code, message."""

    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    UNKNOWN_ROUTE = (404, 0, "404: Not Found")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
    UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_USER = (404, 10013, "Unknown User")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    BODY_TOO_LARGE = (413, 40005, "Request entity too large")
    ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
    MISSING_ACCESS = (403, 50001, "Missing Access")
    NOT_THE_AUTHOR = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    NO_DIRECT_MESSAGES = (403, 50007, "Cannot send messages to this user")
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    EXPIRED_TOKEN = (401, 50027, "Invalid Webhook Token")
    INVALID_RECIPIENT = (400, 50033, "Invalid Recipient(s)")
    INVALID_BODY = (400, 50035, "Invalid Form Body")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[0]

    @property
    def code(self) -> int:
        """Discord's JSON error code; 0 where it has none."""
        return self.value[1]


class Refused(Exception):
    """The bot asked for something that Discord does not do. ``errors`` is the tree of an invalid body."""

    def __init__(self, refusal: Refusal, errors: Json | None = None) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal
        self.errors = errors

    def body(self) -> Json:
        """Return the JSON body that goes with the status."""
        _, code, message = self.refusal.value
        body: Json = {"message": message, "code": code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def invalid(where: str, problem: str) -> Refused:
    """Return the refusal of a body whose key ``where`` is wrong."""
    errors = {where: {"_errors": [{"code": "LOOPBACK_INVALID", "message": problem}]}}
    return Refused(Refusal.INVALID_BODY, errors)


@dataclass(slots=True, eq=False)
class Request:
    """One REST request of the bot. ``at`` is monotonic seconds; ``status`` is None while, or where, no answer went out.

    ``body`` is the JSON body, for a multipart request its ``payload_json``; ``files`` has the uploads by field name.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    at: float = field(default_factory=time.monotonic)
    status: int | None = None

    @property
    def file_names(self) -> list[str]:
        """The names of the uploaded files."""
        return [name for name, _ in self.files.values()]

    @property
    def fields(self) -> Json:
        """The JSON body where it has to be an object."""
        if not isinstance(self.body, dict):
            raise invalid("_", "expected an object")
        return self.body

    def matches(self, method: str, pattern: str) -> bool:
        """Say whether this is a ``method`` request to ``pattern``, in which ``*`` stands for one path segment."""
        return self.method == method and same_path(pattern.split("/"), self.path.split("/"))


def same_path(pattern: list[str], path: list[str]) -> bool:
    """Compare segment by segment; ``*`` in the pattern is any one segment."""
    return len(pattern) == len(path) and all(
        wanted in ("*", found) for wanted, found in zip(pattern, path, strict=True)
    )
