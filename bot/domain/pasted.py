"""Undoes what apps do to text before it is pasted: escapes, entities, percent-encoding, invisible characters."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 6_000
"""The longest text that Discord lets people type."""

_ROUNDS = 6
"""How many layers of different kinds are undone; repeated layers of one kind count once."""

# Control characters, and the characters that Unicode calls ignorable by default.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]++"
)
_LAYER = re.compile(
    r"&(?:amp;)*+(?P<entity>\#[0-9]{1,7}|\#x[0-9a-f]{1,6}|[a-z]{2,8});"
    r"|(?P<ampersand>&(?:amp;)++)"
    r"|(?<!\\)\\++(?:u(?P<wide>[0-9a-f]{4})|x(?P<narrow>[0-9a-f]{2})|(?P<mark>[!-/:-@\[\]^_`{-~]))"
    r"|(?P<bytes>(?:%(?:25)*[89a-f][0-9a-f])++)"
    r"|%(?:25)*(?P<byte>[0-7][0-9a-f])",
    re.IGNORECASE | re.ASCII,
)
_BYTE = re.compile(r"%(?:25)*([89a-f][0-9a-f])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without its layers. ``starts`` says where each of its characters, and its end, was in the original."""

    text: str
    starts: Sequence[int]


def plain(text: str) -> Plain:
    """Undo the layers around a text, in time linear to its length."""
    read = _without(_INVISIBLE, Plain(text, range(len(text) + 1)))
    for _ in range(_ROUNDS):
        undone = _without(_LAYER, read)
        if undone is read:
            break
        read = _without(_INVISIBLE, undone)
    return read


def _without(layer: re.Pattern[str], read: Plain) -> Plain:
    pieces: list[str] = []
    starts: list[int] = []
    end = 0
    for found in layer.finditer(read.text):
        undone = _undo(found)
        pieces += (read.text[end : found.start()], undone)
        starts.extend(read.starts[end : found.start()])
        starts.extend([read.starts[found.start()]] * len(undone))
        end = found.end()
    if not pieces:
        return read
    return Plain("".join(pieces) + read.text[end:], [*starts, *read.starts[end:]])


def _undo(found: re.Match[str]) -> str:
    if found.lastgroup is None:  # invisible characters
        return ""
    value = found[found.lastgroup]
    match found.lastgroup:
        case "entity":
            return html.unescape(f"&{value};")
        case "ampersand":
            return "&"
        case "mark":
            return value
        case "bytes":
            return bytes.fromhex("".join(_BYTE.findall(value))).decode("utf-8", "replace")
        case _:
            return chr(int(value, 16))
