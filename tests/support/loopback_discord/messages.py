"""A message of the loopback Discord, as requests changed it and as a reader sees it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntFlag
from typing import TYPE_CHECKING

from tests.support.loopback_discord.wire import Json, Refusal, Refused, new_id, timestamp

if TYPE_CHECKING:
    from tests.support.loopback_discord.guilds import Channel, User

ORDINARY, COMMAND_ANSWER = 0, 20
"""Discord's message types."""


class MessageFlag(IntFlag):
    """The message flags that decide something here."""

    EPHEMERAL = 1 << 6
    LOADING = 1 << 7


@dataclass(slots=True, eq=False)
class Message:
    """A message as it is now."""

    author: "User"
    channel: "Channel" = field(repr=False)
    kind: int = ORDINARY
    flags: int = 0
    seen_by: int | None = None
    """The only user who sees it, if it is ephemeral."""
    interaction: Json | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    id: int = field(default_factory=new_id)
    content: str = field(default="", repr=False)
    embeds: list[Json] = field(default_factory=list, repr=False)
    components: list[Json] = field(default_factory=list, repr=False)
    created_at: str = field(default_factory=timestamp, repr=False)
    edited_at: str | None = field(default=None, repr=False)

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether it still says "thinking…"."""
        return bool(self.flags & MessageFlag.LOADING)

    @property
    def text(self) -> str:
        """Everything a reader sees: content, embeds and labels, a line each."""
        lines = [self.content]
        for embed in self.embeds:
            lines.extend(_lines(embed))
        for component in nested(self.components):
            lines.extend(str(component[key]) for key in ("label", "placeholder", "content") if component.get(key))
        return "\n".join(filter(None, lines))

    @property
    def custom_ids(self) -> list[str]:
        return [component["custom_id"] for component in nested(self.components) if "custom_id" in component]

    def component(self, custom_id: str) -> Json:
        """Return an enabled component; LookupError if there is none."""
        for component in nested(self.components):
            if component.get("custom_id") == custom_id and not component.get("disabled", False):
                return component
        raise LookupError(custom_id, self.custom_ids)

    def update(self, body: Json, *, created: bool = False) -> None:
        """Apply the body of a create or an edit; an edit keeps what it does not name."""
        content = body.get("content", self.content) or ""
        embeds = body.get("embeds", self.embeds) or []
        components = body.get("components", self.components) or []
        if not (content or embeds or components):
            raise Refused(Refusal.EMPTY_MESSAGE)
        self.content, self.embeds, self.components = content, embeds, components
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
            "attachments": [],
            "embeds": self.embeds,
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
        }
        if self.interaction is not None:
            payload["application_id"] = payload["webhook_id"] = str(self.author.id)
            payload["interaction_metadata"] = self.interaction
        return payload


def nested(components: list[Json]) -> Iterator[Json]:
    """Go through components and everything inside them."""
    for component in components:
        yield component
        yield from nested(component.get("components", []))
        if "component" in component:
            yield from nested([component["component"]])


def _lines(embed: Json) -> Iterator[str]:
    yield embed.get("title") or ""
    yield embed.get("description") or ""
    for part in (embed.get("author"), embed.get("footer")):
        yield from ((part or {}).get(key) or "" for key in ("name", "text"))
    for named in embed.get("fields") or []:
        yield named["name"]
        yield named["value"]
