"""Requests and responses of the loopback Discord as bytes on the socket."""

import json
from typing import Any

from aiohttp import BodyPartReader, web

from tests.support.loopback_discord.wire import Request, encoded

BASE = "/api/v10"


async def received(incoming: web.BaseRequest) -> Request:
    path = incoming.path.removeprefix(BASE)
    request = Request(incoming.method, path, dict(incoming.query), None)
    if incoming.content_type.startswith("multipart/"):
        async for part in await incoming.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            content = bytes(await part.read())
            if part.name == "payload_json":
                request.body = json.loads(content)
            else:
                request.files[part.name or ""] = (part.filename or "", content)
    elif content := await incoming.read():
        request.body = json.loads(content)
    return request


def is_by_token(path: str) -> bool:
    return path.startswith(("/interactions/", "/webhooks/"))


def response(status: int, body: Any) -> web.Response:
    headers = {"Via": "1.1 loopback"}
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, body=encoded(body).encode(), content_type="application/json", headers=headers)


def cut(incoming: web.BaseRequest) -> web.Response:
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)
