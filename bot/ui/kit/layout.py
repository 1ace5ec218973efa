"""Builds embeds that always fit Discord's limits, and divides lists into pages."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Generic, TypeVar

import discord

from bot.languages import Language, current, in_language, number, t, tn
from bot.ui.kit.text import ELLIPSIS, NOTHING, graphemes, utf16_length

T = TypeVar("T")

ROOM = 6000
"""The limit of all embeds in a message together, in UTF-16 units."""

_TITLE = 256
_DESCRIPTION = 4096
_FIELDS = 25
_NAME = 256
FIELD_VALUE = 1024
"""The limit of a field's value, in UTF-16 units."""
_FOOTER = 2048
_BETWEEN = " · "
_COUNTED_FROM = 512
_MOST = (1, 9_000_000, 9_999_991, 9_999_992, 9_999_995)
"""The largest numbers of each plural form: room for a count is reserved for the longest of them."""

_MARKERS = ("**", "__", "~~", "||")
# One piece of markup: half of it would show differently, or activate the text inside.
_PIECE = re.compile(
    r"""(
      ```.*?``` | `[^`\n]+`
    | \\.
    | <[^<>\n]{1,128}>
    | \[(?:\\.|[^\[\]\\\n])+\]\([^()\s]+\)
    | https?://[^\s<>]+
    | \*\* | __ | ~~ | \|\|
    | \n
    )""",
    re.VERBOSE | re.DOTALL,
)


class Tone(IntEnum):
    """The colour of an embed: decoration only, the text says the same."""

    NEUTRAL = 0x5865F2
    GOOD = 0x2E9E5B
    WAITING = 0xE0A100
    BAD = 0xD64545


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an embed; name and value are markdown, with untrusted text already made safe."""

    name: str
    value: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``index`` counts from 0."""

    items: Sequence[T]
    index: int
    count: int
    size: int


def page_at(items: Sequence[T], index: int, size: int) -> Page[T]:
    """Return page ``index`` of a list, or the nearest one; an empty list has one page."""
    count = max(1, -(-len(items) // size))
    index = min(max(index, 0), count - 1)
    return Page(items[index * size : (index + 1) * size], index, count, size)


def fit(markup: str, limit: int) -> str:
    """Cut markup to ``limit`` UTF-16 units.

    Whole lines are left out, and counted, if that keeps at least half of the room; otherwise the last line is cut
    and open emphasis closed. An escape, timestamp, link or piece of code is never cut in half.
    """
    if utf16_length(markup) <= limit:
        return markup
    kept: list[str] = []
    opened: list[str] = []
    whole_lines = (0, 0, "")
    used = 0
    counts = limit >= _COUNTED_FROM
    note = max(utf16_length(_more_lines(most)) for most in _MOST) if counts else 0
    for piece in _pieces(markup):
        used += utf16_length(piece)
        closing = opened
        if piece in _MARKERS:
            closing = [marker for marker in opened if marker != piece] if piece in opened else [*opened, piece]
        if used + len(ELLIPSIS) + sum(map(len, closing)) > limit:
            break
        kept.append(piece)
        opened = closing
        if piece == "\n" and (not counts or used + note + sum(map(len, opened)) <= limit):
            whole_lines = (used, len(kept), "".join(reversed(opened)))
    tail = "".join(reversed(opened))
    lines_used, lines, lines_tail = whole_lines
    if 2 * lines_used >= limit:
        kept, tail = kept[:lines], lines_tail
        if counts:
            left_out = sum(bool(line.strip()) for line in markup[sum(map(len, kept)) :].split("\n"))
            return f"{''.join(kept)}{_more_lines(left_out)}{tail}"
    while kept and kept[-1] == " ":
        kept.pop()
    return f"{''.join(kept)}{ELLIPSIS}{tail}"


def card(
    *,
    title: str,
    description: str = "",
    fields: Iterable[Field] = (),
    colour: int = Tone.NEUTRAL,
    footer: str = "",
    image: str | None = None,
    thumbnail: str | None = None,
    room: int = ROOM,
) -> discord.Embed:
    """Return an embed that Discord accepts: long texts are cut, and fields left out are counted in the footer.

    Title, description and fields are markdown with untrusted text already made safe; the footer is plain text.
    ``room`` is for several cards in one message, and at least 512.
    """
    wanted = [
        Field(fit(field.name.strip() or NOTHING, _NAME), fit(field.value.strip() or NOTHING, FIELD_VALUE), field.inline)
        for field in fields
    ]
    embed = discord.Embed(title=fit(title.strip() or NOTHING, min(_TITLE, room // 2)), colour=colour)
    left = room - utf16_length(embed.title or "")
    note = _room_for_note(current())
    foot = _cut(footer.strip(), min(_FOOTER - note, left // 2))
    left -= utf16_length(foot)
    if description.strip():
        # A long description leaves the fields up to half of the room.
        for_fields = min(sum(map(_size, wanted[:_FIELDS])) + (note if len(wanted) > _FIELDS else 0), left // 2)
        embed.description = fit(description.strip(), min(_DESCRIPTION, left - for_fields))
        left -= utf16_length(embed.description)
    shown = _leading(wanted, left)
    if len(shown) < len(wanted):
        shown = _leading(wanted, left - note)
        foot = _BETWEEN.join(filter(None, (_more(len(wanted) - len(shown)), foot)))
    for field in shown:
        embed.add_field(name=field.name, value=field.value, inline=field.inline)
    if foot:
        embed.set_footer(text=foot)
    embed.set_image(url=image)
    embed.set_thumbnail(url=thumbnail)
    return embed


@lru_cache(maxsize=16)
def _room_for_note(language: Language) -> int:
    """Return the room for the longest note on fields left out, from a cache: every card reserves it."""
    with in_language(language):
        return max(utf16_length(_more(most)) for most in _MOST) + len(_BETWEEN)


def _more_lines(left_out: int) -> str:
    return tn("…and {count} more line", "…and {count} more lines", left_out)


def _more(left_out: int) -> str:
    # Translators: of anything: items, trades, notes
    return t("…and {count} more", count=number(left_out))


def _pieces(markup: str) -> Iterator[str]:
    """Split markup between the pieces that must stay whole."""
    parts = _PIECE.split(markup)  # plain text and pieces in turn
    waiting = ""
    for piece in (piece for index, part in enumerate(parts) for piece in ([part] if index % 2 else graphemes(part))):
        if waiting and unicodedata.category(piece[0]).startswith("M"):
            waiting += piece  # a mark belongs to the escaped character before it
        else:
            if waiting:
                yield waiting
            waiting = piece
    yield waiting


def _cut(text: str, limit: int) -> str:
    """Cut plain text."""
    if utf16_length(text) <= limit:
        return text
    kept, used = "", len(ELLIPSIS)
    for cluster in graphemes(text):
        used += utf16_length(cluster)
        if used > limit:
            break
        kept += cluster
    return kept.rstrip() + ELLIPSIS


def _size(field: Field) -> int:
    return utf16_length(field.name) + utf16_length(field.value)


def _leading(fields: Sequence[Field], room: int) -> Sequence[Field]:
    """Return as many of the first fields as fit."""
    possible = fields[:_FIELDS]
    for place, field in enumerate(possible):
        room -= _size(field)
        if room < 0:
            return possible[:place]
    return possible
