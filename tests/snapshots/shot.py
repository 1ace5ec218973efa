"""One page as a reader sees it, and its text without anything that changes from run to run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import simcord

_MOMENT = re.compile(r"<t:(\d+)(?::([a-zA-Z]))?>")
_MENTION = re.compile(r"<(@&|@!?|#)(\d+)>")
_REFERENCE = re.compile(r"(?i)(reference |row \d+ · )`?[0-9a-f]{6,8}`?")
_MESSAGE_LINK = re.compile(r"https://discord\.com/channels/[\d/]+")
_CODE = re.compile(r"(code: \*{0,2}`)[A-Z]{8}`")
_REQUEST = re.compile(r"(request `)[0-9a-f-]{8,}`")
_TOOK = re.compile(r"(took `)[\d.]+ s`")
_FREE = re.compile(r"Refresh from \d\d:\d\d UTC")
_LATEST = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?")
_FLAT, _SELECT, _INPUT, _ROW = 2, 3, 4, 1
_PERIODS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_STEP = 15
"""Seconds by which two runs may differ without that being a change."""


@dataclass(frozen=True)
class Shot:
    """What ``reader`` sees in ``situation``; ``page`` is the file that it is kept in."""

    page: str
    situation: str
    reader: str
    embeds: Sequence[discord.Embed]
    components: Sequence[Mapping[str, Any]] = ()
    files: Sequence[str] = ()
    message: simcord.ResponseMessage | discord.Message | None = None
    actor: simcord.MemberActor | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The heading of the shot in its page."""
        return f"{self.situation} · {self.reader}"

    def text(self) -> str:
        """Return everything that can be read, in the order of the screen."""
        lines = [line for embed in self.embeds for line in _embed_lines(embed)]
        lines += [line for component in self.components for line in _component_lines(component)]
        lines += [f"(file) {name}" for name in self.files]
        return self._steadied("\n".join(lines))

    def _steadied(self, text: str) -> str:
        text = _MOMENT.sub(lambda match: "{" + _distance(int(match[1]), self.now) + "}", text)
        text = _MENTION.sub(lambda match: self.names.get(int(match[2]), f"{match[1][0]}somebody"), text)
        text = _REFERENCE.sub(r"\1{word}", text)
        text = _MESSAGE_LINK.sub("{link to the message}", text)
        text = _CODE.sub(r"\1{code}`", text)
        text = _REQUEST.sub(r"\1{id}`", text)
        text = _FREE.sub("Refresh from {time} UTC", text)
        text = _LATEST.sub("{time}", text)
        return _TOOK.sub(r"\1{time}`", text)


def form_shot(page: str, situation: str, reader: str, opened: simcord.InteractionResult) -> Shot:
    """Return a form as it was opened."""
    assert opened.modal is not None
    title = discord.Embed(title=opened.modal["title"])
    return Shot(page, situation, reader, [title], components=opened.modal["components"])


def rendered(title: str, shots: Sequence[Shot]) -> str:
    """Return the file of a page: one section for each shot."""
    parts = [f"# {title}"]
    parts += [f"## {shot.heading}\n\n{_quoted(shot.text())}" for shot in shots]
    return "\n\n".join(parts) + "\n"


def sections(text: str) -> dict[str, str]:
    """Return what a file of a page holds, by heading."""
    found = {}
    for part in re.split(r"(?m)^## ", text)[1:]:
        heading, _, body = part.partition("\n")
        found[heading] = body.strip()
    return found


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))


def _distance(stamp: int, now: datetime) -> str:
    seconds = stamp - now.timestamp()
    away = timedelta(seconds=_STEP * round(abs(seconds) / _STEP)).total_seconds()
    if not away:
        return "now"
    for size, unit in _PERIODS:
        if away >= size:
            number = round(away / size)
            phrase = f"{number} {unit}{'s' if number != 1 else ''}"
            break
    else:
        phrase = f"{away:.0f} seconds"
    return f"in {phrase}" if seconds > 0 else f"{phrase} ago"


def _embed_lines(embed: discord.Embed) -> list[str]:
    lines = [f"[{embed.title}]"]
    if embed.description:
        lines.append(embed.description)
    for each in embed.fields:
        lines += [f"-- {each.name}", str(each.value)]
    if embed.image.url or embed.thumbnail.url:
        lines.append("(picture)")
    if embed.footer.text:
        lines += ["--", embed.footer.text]
    return lines


def _component_lines(component: Mapping[str, Any]) -> list[str]:
    kind = component["type"]
    if kind == _ROW:
        inside = [line for child in component["components"] for line in _component_lines(child)]
        return [" ".join(inside)] if all(line.startswith("(") for line in inside) and len(inside) < 6 else inside
    if kind == _FLAT:
        label = " ".join(filter(None, [(component.get("emoji") or {}).get("name"), component.get("label")]))
        off = ", disabled" if component.get("disabled") else ""
        leads = ", opens a page" if component.get("url") else ""
        return [f"({label}{off}{leads})"]
    if kind == _SELECT:
        lines = [f"menu: {component.get('placeholder')}"]
        for option in component["options"]:
            marker = "●" if option.get("default") else "○"
            lines.append("  " + " · ".join(filter(None, [f"{marker} {option['label']}", option.get("description")])))
        return lines
    if kind == _INPUT:
        said = component.get("label") or ""
        held = f" = {component['value']}" if component.get("value") else ""
        hint = f" ({component['placeholder']})" if component.get("placeholder") else ""
        return [f"input: {said}{hint}{held}"]
    named = [f"{component['label']}: {component.get('description') or ''}".rstrip(": ")]
    return named + _component_lines(component["component"])
