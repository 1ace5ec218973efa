"""Reads the bot's requests to Discord."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Request(Protocol):
    """An entry of a request log, as SimCord and the loopback Discord keep it."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def params(self) -> Mapping[str, Any]: ...

    @property
    def json(self) -> Any: ...


class Kind(StrEnum):
    """The purpose of a request."""

    CALLBACK = "callback"
    FOLLOW_UP = "follow-up"
    EDIT_RESPONSE = "edit of a response"
    DELETE_RESPONSE = "deletion of a response"
    POST = "message"
    EDIT = "edit of a message"
    GLOBAL_COMMANDS = "global commands"
    GUILD_COMMANDS = "guild commands"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its purpose; ``token`` is that of its interaction."""

    kind: Kind
    method: str
    path: str
    params: Mapping[str, Any]
    body: Any
    token: str = ""

    @property
    def where(self) -> str:
        """Name the request in a violation, without its interaction token."""
        path = self.path.replace(self.token, "…") if self.token else self.path
        callback = f" type {self.body.get('type')}" if self.kind is Kind.CALLBACK and is_object(self.body) else ""
        return f"{self.method} {path}{callback}"

    @property
    def data(self) -> Mapping[str, Any]:
        """The message, modal or choices in the body."""
        inner = self.body.get("data") if self.kind is Kind.CALLBACK and is_object(self.body) else self.body
        return inner if is_object(inner) else {}

    @property
    def callback_type(self) -> int | None:
        """The type of a first answer."""
        return self.body.get("type") if self.kind is Kind.CALLBACK and is_object(self.body) else None


_ROUTES = (
    (Kind.CALLBACK, "POST", r"/interactions/\d+/(?P<token>[^/]+)/callback"),
    (Kind.FOLLOW_UP, "POST", r"/webhooks/\d+/(?P<token>[^/]+)"),
    (Kind.EDIT_RESPONSE, "PATCH", r"/webhooks/\d+/(?P<token>[^/]+)/messages/[^/]+"),
    (Kind.DELETE_RESPONSE, "DELETE", r"/webhooks/\d+/(?P<token>[^/]+)/messages/[^/]+"),
    (Kind.OTHER, "GET", r"/webhooks/\d+/(?P<token>[^/]+)/messages/[^/]+"),
    (Kind.POST, "POST", r"/channels/\d+/messages"),
    (Kind.EDIT, "PATCH", r"/channels/\d+/messages/\d+"),
    (Kind.GLOBAL_COMMANDS, "PUT", r"/applications/\d+/commands"),
    (Kind.GUILD_COMMANDS, "PUT", r"/applications/\d+/guilds/\d+/commands"),
)


def calls(requests: Iterable[Request]) -> list[Call]:
    """Read a request log."""
    return [_call(request) for request in requests]


def is_object(value: Any) -> bool:
    """Return whether a value is a JSON object."""
    return isinstance(value, Mapping)


def _call(request: Request) -> Call:
    path = re.sub(r"^/api/v\d+(?=/)", "", request.path)
    for kind, method, pattern in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match is not None and method == request.method:
            token = match.groupdict().get("token") or ""
            return Call(kind, method, path, request.params, request.json, token)
    return Call(Kind.OTHER, request.method, path, request.params, request.json)
