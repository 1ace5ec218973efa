"""Builds embeds that fit Discord's limits whatever is put into them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import discord

from bot.ui.kit.text import ELLIPSIS, NOTHING, count, graphemes, utf16_length

ROOM = 6000
"""UTF-16 units that all embeds of one message may have together."""

_TITLE = 256
_DESCRIPTION = 4096
_FIELDS = 25
_NAME = 256
_VALUE = 1024
_FOOTER = 2048
_LEAST_ROOM = 512
_NOTE = len("…and 9,999,999 more · ")
_LINES_NOTE = len("…and 9,999,999 more lines")
_COUNTED_FROM = 512

_MARKERS = ("**", "__", "~~", "||")
# What is one piece of markup: half of it would show differently, or let what stands inside come alive.
_PIECE = re.compile(
    r"""
      ```.*?``` | `[^`\n]+`
    | \\.
    | <[^<>\n]{1,128}>
    | \[(?:\\.|[^\[\]\\\n])+\]\([^()\s]+\)
    | https?://[^\s<>]+
    | \*\* | __ | ~~ | \|\|
    | \n
    """,
    re.VERBOSE | re.DOTALL,
)


class Tone(IntEnum):
    """The colour beside an embed. Decoration only: the words say the same."""

    NEUTRAL = 0x5865F2
    GOOD = 0x2E9E5B
    WAITING = 0xE0A100
    BAD = 0xD64545


@dataclass(frozen=True, slots=True)
class Field:
    """A name and a value in an embed; both are markdown, so outside text in them is already made safe."""

    name: str
    value: str
    inline: bool = False


def fit(markup: str, limit: int) -> str:
    """Return markup that is at most ``limit`` UTF-16 units long.

    Whole lines are left out where that keeps half of what fits, and counted where there is room for it; otherwise
    the last line is cut between two pieces of markup, and open emphasis is closed. An escape, a timestamp, a link or
    code is never cut in half.
    """
    if limit < 1:
        raise ValueError(limit)
    if utf16_length(markup) <= limit:
        return markup
    kept: list[str] = []
    opened: list[str] = []
    whole_lines = (0, 0, "")
    used = 0
    counts = limit >= _COUNTED_FROM
    for piece in _pieces(markup):
        used += utf16_length(piece)
        closing = _toggled(opened, piece)
        if used + len(ELLIPSIS) + sum(map(len, closing)) > limit:
            break
        kept.append(piece)
        opened = closing
        if piece == "\n" and (not counts or used + _LINES_NOTE + sum(map(len, opened)) <= limit):
            whole_lines = (used, len(kept), "".join(reversed(opened)))
    tail = "".join(reversed(opened))
    lines_used, lines, lines_tail = whole_lines
    if 2 * lines_used >= limit:
        kept, tail = kept[:lines], lines_tail
        if counts:
            return f"{''.join(kept)}{ELLIPSIS}and {_lines_left(markup, kept)}{tail}"
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
    """Return an embed that Discord takes, with whatever does not fit cut or left out and the left-out fields counted.

    ``title``, ``description`` and the fields are markdown in which outside text is already made safe, ``footer`` is
    plain text. Several cards in one message share its room: ``room=ROOM // 3`` for three; 512 is the least.
    """
    if room < _LEAST_ROOM:
        raise ValueError(room)
    wanted = [_never_empty(field) for field in fields]
    embed = discord.Embed(title=fit(title.strip() or NOTHING, min(_TITLE, room // 2)), colour=colour)
    left = room - utf16_length(embed.title or "")
    foot = _cut(footer.strip(), min(_FOOTER - _NOTE, left // 2))
    left -= utf16_length(foot)
    if description.strip():
        # A long description leaves the fields up to half of the room.
        for_fields = min(sum(map(_size, wanted[:_FIELDS])), left // 2)
        embed.description = fit(description.strip(), min(_DESCRIPTION, left - for_fields))
        left -= utf16_length(embed.description)
    shown = _leading(wanted, left)
    if len(shown) < len(wanted):
        shown = _leading(wanted, left - _NOTE)
        foot = " · ".join(filter(None, (f"{ELLIPSIS}and {len(wanted) - len(shown):,} more", foot)))
    for field in shown:
        embed.add_field(name=field.name, value=field.value, inline=field.inline)
    if foot:
        embed.set_footer(text=foot)
    embed.set_image(url=image)
    embed.set_thumbnail(url=thumbnail)
    return embed


def _lines_left(markup: str, kept: list[str]) -> str:
    """Return how many lines of markup are not among what is kept."""
    rest = markup[sum(map(len, kept)) :]
    return count(sum(bool(line.strip()) for line in rest.split("\n")), "more line")


def _pieces(markup: str) -> Iterator[str]:
    """Split markup where it may be cut."""
    waiting = ""
    for piece in _raw_pieces(markup):
        if waiting and unicodedata.category(piece[0]).startswith("M"):
            waiting += piece  # a mark belongs to the escaped sign before it
            continue
        if waiting:
            yield waiting
        waiting = piece
    if waiting:
        yield waiting


def _raw_pieces(markup: str) -> Iterator[str]:
    end = 0
    for match in _PIECE.finditer(markup):
        yield from graphemes(markup[end : match.start()])
        yield match[0]
        end = match.end()
    yield from graphemes(markup[end:])


def _toggled(opened: list[str], piece: str) -> list[str]:
    """Return which markers of emphasis are open after a piece."""
    if piece not in _MARKERS:
        return opened
    return [marker for marker in opened if marker != piece] if piece in opened else [*opened, piece]


def _cut(text: str, limit: int) -> str:
    """Cut plain text between graphemes."""
    if utf16_length(text) <= limit:
        return text
    kept, used = "", len(ELLIPSIS)
    for cluster in graphemes(text):
        used += utf16_length(cluster)
        if used > limit:
            break
        kept += cluster
    return kept.rstrip() + ELLIPSIS


def _never_empty(field: Field) -> Field:
    return Field(
        name=fit(field.name.strip() or NOTHING, _NAME),
        value=fit(field.value.strip() or NOTHING, _VALUE),
        inline=field.inline,
    )


def _size(field: Field) -> int:
    return utf16_length(field.name) + utf16_length(field.value)


def _leading(fields: Sequence[Field], room: int) -> Sequence[Field]:
    """Return the first fields, as many as fit."""
    possible = fields[:_FIELDS]
    for place, field in enumerate(possible):
        room -= _size(field)
        if room < 0:
            return possible[:place]
    return possible
