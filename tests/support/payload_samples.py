"""Requests to Discord in the shapes discord.py sends, and a set of them that break no rule."""

from typing import Any

from simcord.types import HttpLogEntry

SILENT: dict[str, Any] = {"allowed_mentions": {"parse": []}}
TITLE = {"title": "Inventory"}
BUTTON = {"type": 2, "style": 2, "label": "Next", "custom_id": "page:1:next"}
OPTION = {"label": "One", "value": "1"}
OPTION_TWO = {"label": "Two", "value": "2"}
SELECT = {"type": 3, "custom_id": "pick", "options": [OPTION]}
INPUT = {"type": 4, "custom_id": "reason", "style": 2, "label": "Reason"}
COMMAND = {"type": 1, "name": "trades", "description": "See trades", "contexts": [0]}
CHOICE = {"name": "Name", "value": "value"}


def request(method: str, path: str, body: Any = None) -> HttpLogEntry:
    return HttpLogEntry(method, path, {}, body, None)


def posted(**body: Any) -> list[HttpLogEntry]:
    return [request("POST", "/channels/1/messages", {**SILENT, **body})]


def edited(**body: Any) -> list[HttpLogEntry]:
    return [request("PATCH", "/channels/1/messages/2", body)]


def with_embed(**embed: Any) -> list[HttpLogEntry]:
    return posted(embeds=[{**TITLE, **embed}])


def with_row(*components: Any) -> list[HttpLogEntry]:
    return posted(embeds=[TITLE], components=[{"type": 1, "components": list(components)}])


def answered(kind: int, data: Any = None, interaction: str = "token-1") -> HttpLogEntry:
    return request("POST", f"/interactions/1/{interaction}/callback", {"type": kind, "data": data})


def deferred() -> HttpLogEntry:
    return answered(5, {"flags": 64})


def follow_up(**body: Any) -> HttpLogEntry:
    return request("POST", "/webhooks/9/token-1", {**SILENT, "content": "Done", **body})


def original_edited() -> HttpLogEntry:
    return request("PATCH", "/webhooks/9/token-1/messages/@original", {"embeds": [TITLE]})


def with_modal(*components: Any, **modal: Any) -> list[HttpLogEntry]:
    tops = components or ({"type": 1, "components": [INPUT]},)
    return [answered(9, {"title": "Deny", "custom_id": "deny", "components": list(tops), **modal})]


def in_row(**changes: Any) -> dict[str, Any]:
    return {"type": 1, "components": [{**INPUT, **changes}]}


def offered(*choices: Any) -> list[HttpLogEntry]:
    return [answered(8, {"choices": list(choices)})]


def synced(*commands: Any) -> list[HttpLogEntry]:
    return [request("PUT", "/applications/9/commands", list(commands))]


def with_option(**option: Any) -> list[HttpLogEntry]:
    return synced({**COMMAND, "options": [{"type": 3, "name": "id", "description": "Which trade", **option}]})


def with_options(*options: dict[str, Any]) -> list[HttpLogEntry]:
    described = [{"type": 3, "description": "Which trade", **option} for option in options]
    return synced({**COMMAND, "options": described})


CLEAN = {
    "message": posted(content="See <https://steamcommunity.com/my> and `https://evil.example`"),
    "embed": with_embed(
        description="x" * 4096,
        fields=[{"name": "n", "value": "v"}] * 25,
        footer={"text": "Page 1"},
        thumbnail={"url": "https://community.fastly.steamstatic.com/economy/image/abc"},
    ),
    "escaped address": with_embed(description=r"https\://evil\.example"),
    "edit that keeps the text": edited(components=[]),
    "buttons": with_row(*({**BUTTON, "custom_id": str(place)} for place in range(5))),
    "link": with_row({"type": 2, "style": 5, "label": "Open", "url": "https://steamcommunity.com/my"}),
    "emoji button": with_row({"type": 2, "style": 1, "emoji": {"name": "👍"}, "custom_id": "a"}),
    "select": with_row(SELECT),
    "member select": with_row({"type": 5, "custom_id": "who"}),
    "modal in rows": with_modal(),
    "modal in labels": with_modal(
        {"type": 10, "content": "Why?"}, {"type": 18, "label": "Reason", "component": {**INPUT, "label": None}}
    ),
    "autocomplete": offered(*({"name": str(number), "value": number} for number in range(25))),
    "answer": [answered(4, {**SILENT, "content": "Done", "flags": 64})],
    "update": [answered(7, {"embeds": [TITLE]})],
    "deferred, then edited": [deferred(), original_edited(), follow_up(flags=64)],
    "deferred, then followed up": [deferred(), follow_up()],
    "deferred, then taken back": [deferred(), request("DELETE", "/webhooks/9/token-1/messages/@original")],
    "click, then edited": [answered(6), original_edited()],
    "click, then the card edited": [answered(6), *edited(embeds=[TITLE])],
    "two interactions": [
        deferred(),
        answered(4, {**SILENT, "content": "Done", "flags": 64}, "token-2"),
        original_edited(),
    ],
    "commands": synced(
        COMMAND,
        {"type": 2, "name": "Show trades", "contexts": [0], "default_member_permissions": None},
        {**COMMAND, "name": "link", "options": [{"type": 1, "name": "start", "description": "Begin", "options": []}]},
    ),
    "guild commands": [request("PUT", "/applications/9/guilds/1/commands", [{**COMMAND, "contexts": None}])],
    "with a version": [request("POST", "/api/v10/channels/1/messages", {**SILENT, "content": "x"})],
    "no body": [request("GET", "/users/@me")],
}
