"""The wire format of the loopback Discord: ids, refusals, requests and responses."""

import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

Json = dict[str, Any]

BASE = "/api/v10"
_EPOCH_MS = 1_420_070_400_000
_ID_TIME_SHIFT = 22
_serial = itertools.count()
encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def new_id(shard: tuple[int, int] = (0, 1)) -> int:
    """Return an unused snowflake of the present time, from which discord.py reads a token's age, of a shard."""
    number, count = shard
    milliseconds = time.time_ns() // 1_000_000 - _EPOCH_MS
    milliseconds -= (milliseconds - number) % count
    return milliseconds << _ID_TIME_SHIFT | next(_serial) % (1 << _ID_TIME_SHIFT)


def timestamp() -> str:
    return datetime.now(UTC).isoformat()


class Refusal(Enum):
    """A refusal in Discord's terms: HTTP status, JSON error code, message."""

    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    UNKNOWN_ROUTE = (404, 0, "404: Not Found")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
    MISSING_ACCESS = (403, 50001, "Missing Access")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    EXPIRED_TOKEN = (401, 50027, "Invalid Webhook Token")
    INVALID_BODY = (400, 50035, "Invalid Form Body")


class Refused(Exception):
    """Discord refuses the request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal
        self.status, code, message = refusal.value
        self.body = {"message": message, "code": code}


@dataclass(slots=True, eq=False)
class Request:
    """One REST request of the bot. ``at`` is monotonic seconds; ``status`` is None as long as no answer went out."""

    method: str
    path: str
    params: dict[str, str]
    json: Any
    at: float = field(default_factory=time.monotonic)
    status: int | None = None

    @property
    def fields(self) -> Json:
        """The JSON body, which must be an object."""
        if not isinstance(self.json, dict):
            raise Refused(Refusal.INVALID_BODY)
        return self.json

    def matches(self, method: str, pattern: str) -> bool:
        """Return whether this is a ``method`` request to ``pattern``, in which ``*`` stands for one path segment."""
        return self.method == method and same_path(pattern.split("/"), self.path.split("/"))


def same_path(pattern: list[str], path: list[str]) -> bool:
    """Compare segment by segment; ``*`` in the pattern is any one segment."""
    return len(pattern) == len(path) and all(
        wanted in ("*", found) for wanted, found in zip(pattern, path, strict=True)
    )


async def _payload(reader: MultipartReader) -> bytes:
    """Return the message that comes with uploaded files, which are not kept."""
    payload = b""
    while (part := await reader.next()) is not None:
        assert isinstance(part, BodyPartReader)
        if part.name == "payload_json":
            payload = bytes(await part.read())
        else:
            await part.release()
    return payload


async def received(incoming: web.BaseRequest) -> Request:
    """Read a request; of a multipart body everything but the uploaded files."""
    is_multipart = incoming.content_type.startswith("multipart/")
    content = await (_payload(await incoming.multipart()) if is_multipart else incoming.read())
    body = json.loads(content) if content else None
    return Request(incoming.method, incoming.path.removeprefix(BASE), dict(incoming.query), body)


def response(status: int, body: Any) -> web.Response:
    """Return an HTTP response as Discord's proxies send it: discord.py reads ``Via`` to handle a 429."""
    headers = {"Via": "1.1 loopback"}
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, body=encoded(body).encode(), content_type="application/json", headers=headers)
