"""Discord's limits on messages and their embeds."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tests.support.component_rules import components
from tests.support.payload_texts import address, addresses_in, length, optional_text, text

_SECTIONS = ("author", "footer", "image", "thumbnail", "video")
_SHOWN = ("title", "description", "fields", *_SECTIONS)


def message(body: Mapping[str, Any], *, is_new: bool, hosts: Collection[str]) -> Iterator[str]:
    """Find what Discord would refuse, or readers should not get, in a message or an edit of one."""
    content = body.get("content") or ""
    embeds = body.get("embeds") or []
    rows = body.get("components") or []
    if not (content.strip() or embeds or rows or body.get("attachments")) and (
        is_new or {"content", "embeds", "components"} <= set(body)
    ):
        yield "message is empty"
    yield from text("content", content, 2000, may_be_empty=True)
    yield from addresses_in("content", content, hosts)
    yield from _mentions(body, is_new=is_new)
    if len(embeds) > 10:
        yield f"embeds: {len(embeds)}, more than 10"
    for place, embed in enumerate(embeds):
        yield from _embed(f"embeds[{place}]", embed, hosts)
    together = sum(map(_embed_size, embeds))
    if together > 6000:
        yield f"embeds have {together} characters together, more than 6000"
    yield from components(rows, hosts=hosts)


def _mentions(body: Mapping[str, Any], *, is_new: bool) -> Iterator[str]:
    allowed = body.get("allowed_mentions")
    if allowed is None:
        if is_new or body.get("content"):
            yield "allowed_mentions is missing, so everybody named is pinged"
    elif allowed.get("parse") != [] or allowed.get("users"):
        yield "allowed_mentions lets somebody be pinged"
    elif (roles := allowed.get("roles")) and not (is_new and body.get("content") == f"<@&{roles[0]}>"):
        yield "allowed_mentions lets a role be pinged by more than a card's one mention"


def _embed(path: str, embed: Mapping[str, Any], hosts: Collection[str]) -> Iterator[str]:
    if not any(embed.get(part) for part in _SHOWN):
        yield f"{path} is empty"
    for name, most in (("title", 256), ("description", 4096)):
        yield from optional_text(f"{path}.{name}", embed.get(name), most)
        yield from addresses_in(f"{path}.{name}", embed.get(name), hosts)
    for section, name, most in (("author", "name", 256), ("footer", "text", 2048)):
        if embed.get(section) is not None:
            yield from text(f"{path}.{section}.{name}", embed[section].get(name), most)
    yield from _fields(f"{path}.fields", embed.get("fields") or [], hosts)
    colour = embed.get("color")
    if colour is not None and not 0 <= colour <= 0xFFFFFF:
        yield f"{path}.color is no colour"
    for name, holder in ((path, embed), *((f"{path}.{section}", embed.get(section) or {}) for section in _SECTIONS)):
        for key in ("url", "icon_url"):
            if holder.get(key) is not None:
                yield from address(f"{name}.{key}", holder[key], hosts)


def _fields(path: str, fields: list[Mapping[str, Any]], hosts: Collection[str]) -> Iterator[str]:
    if len(fields) > 25:
        yield f"{path}: {len(fields)}, more than 25"
    for place, field in enumerate(fields):
        for name, most in (("name", 256), ("value", 1024)):
            yield from text(f"{path}[{place}].{name}", field.get(name), most)
            yield from addresses_in(f"{path}[{place}].{name}", field.get(name), hosts)


def _embed_size(embed: Mapping[str, Any]) -> int:
    texts = [
        embed.get("title"),
        embed.get("description"),
        (embed.get("author") or {}).get("name"),
        (embed.get("footer") or {}).get("text"),
        *(field.get(name) for field in embed.get("fields") or [] for name in ("name", "value")),
    ]
    return sum(length(value) for value in texts if isinstance(value, str))
