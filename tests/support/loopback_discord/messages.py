"""A message of the loopback Discord: what its body makes of it, and what a reader sees."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

from tests.support.loopback_discord.wire import Json, Refusal, Refused, Request, new_id, timestamp

if TYPE_CHECKING:
    from tests.support.loopback_discord.guilds import Channel, User


class MessageKind(IntEnum):
    """Discord's message types, as far as they exist here."""

    ORDINARY = 0
    COMMAND_ANSWER = 20


class MessageFlag(IntFlag):
    """The message flags that decide something here."""

    EPHEMERAL = 1 << 6
    LOADING = 1 << 7


@dataclass(slots=True, eq=False)
class Message:
    """A message as it is now. ``files`` are the uploads it still has, by name."""

    author: "User"
    channel: "Channel" = field(repr=False)
    kind: MessageKind = MessageKind.ORDINARY
    flags: int = 0
    seen_by: int | None = None
    """The only user who sees it, where it is ephemeral."""
    interaction: Json | None = field(default=None, repr=False)
    id: int = field(default_factory=new_id)
    content: str = field(default="", repr=False)
    embeds: list[Json] = field(default_factory=list, repr=False)
    components: list[Json] = field(default_factory=list, repr=False)
    attachments: list[Json] = field(default_factory=list, repr=False)
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    created_at: str = field(default_factory=timestamp, repr=False)
    edited_at: str | None = field(default=None, repr=False)
    is_deleted: bool = False

    @property
    def is_ephemeral(self) -> bool:
        """Whether one user alone sees it."""
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether it still says "thinking…"."""
        return bool(self.flags & MessageFlag.LOADING)

    @property
    def text(self) -> str:
        """Every word a reader sees: content, embeds, labels, file names, a line each."""
        words = [self.content, *self.files]
        for embed in self.embeds:
            words.extend(_words(embed))
        for component in self.every_component():
            words.extend(str(component[key]) for key in ("label", "placeholder", "content") if component.get(key))
        return "\n".join(filter(None, words))

    @property
    def custom_ids(self) -> list[str]:
        """The custom ids of its components, in their order."""
        return [component["custom_id"] for component in self.every_component() if "custom_id" in component]

    def component(self, custom_id: str) -> Json:
        """Return the component that somebody can use; LookupError where there is none, or it is disabled."""
        for component in self.every_component():
            if component.get("custom_id") == custom_id and not component.get("disabled", False):
                return component
        raise LookupError(custom_id, self.custom_ids)

    def every_component(self) -> Iterator[Json]:
        """Go through the components, nested ones included."""
        return nested(self.components)

    def apply(self, request: Request, *, created: bool = False) -> None:
        """Take over what a create or an edit says; what an edit leaves out stays."""
        self.take(request.fields, request.files, created=created)

    def take(self, body: Json, files: dict[str, tuple[str, bytes]], *, created: bool = False) -> None:
        """Do as :meth:`apply` does, where the message is a part of the request's body."""
        content = body.get("content", self.content) or ""
        embeds = body.get("embeds", self.embeds) or []
        components = body.get("components", self.components) or []
        kept = self._kept_attachments(body)
        if not (content or embeds or components or kept or files):
            raise Refused(Refusal.EMPTY_MESSAGE)
        self.content, self.embeds, self.components = content, embeds, _numbered(components, itertools.count(1))
        self.attachments = kept
        self.files = {attachment["filename"]: self.files[attachment["filename"]] for attachment in kept}
        for name, content_bytes in files.values():
            self.attachments.append(self._attachment(name, content_bytes))
            self.files[name] = content_bytes
        if not created:
            self.edited_at = timestamp()

    def payload(self) -> Json:
        payload: Json = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "author": self.author.payload(),
            "type": self.kind,
            "content": self.content,
            "timestamp": self.created_at,
            "edited_timestamp": self.edited_at,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": self.attachments,
            "embeds": self.embeds,
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
        }
        if self.interaction is not None:
            payload["application_id"] = payload["webhook_id"] = str(self.author.id)
            payload["interaction_metadata"] = self.interaction
        return payload

    def _kept_attachments(self, body: Json) -> list[Json]:
        if "attachments" not in body:
            return list(self.attachments)
        named = {str(attachment["id"]) for attachment in body["attachments"] or []}
        return [attachment for attachment in self.attachments if attachment["id"] in named]

    def _attachment(self, name: str, content: bytes) -> Json:
        attachment_id = str(new_id())
        url = f"https://cdn.discordapp.com/attachments/{self.channel.id}/{attachment_id}/{name}"
        return {"id": attachment_id, "filename": name, "size": len(content), "url": url, "proxy_url": url}


def nested(components: list[Json]) -> Iterator[Json]:
    """Go through components and what they hold."""
    for component in components:
        yield component
        yield from nested(component.get("components", []))
        for key in ("accessory", "component"):
            if key in component:
                yield from nested([component[key]])


def _numbered(components: list[Json], numbers: Iterator[int]) -> list[Json]:
    """Return a copy in which every component has an id, as Discord gives them out."""
    copies = []
    for component in components:
        copy: Json = {"id": next(numbers)} | component
        if "components" in copy:
            copy["components"] = _numbered(copy["components"], numbers)
        for key in ("accessory", "component"):
            if key in copy:
                copy[key] = _numbered([copy[key]], numbers)[0]
        copies.append(copy)
    return copies


def _words(embed: Json) -> Iterator[str]:
    yield embed.get("title") or ""
    yield embed.get("description") or ""
    for part in (embed.get("author"), embed.get("footer")):
        yield from ((part or {}).get(key) or "" for key in ("name", "text"))
    for named in embed.get("fields") or []:
        yield named["name"]
        yield named["value"]
