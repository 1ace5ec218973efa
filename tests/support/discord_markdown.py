"""An independent reader of Discord's markdown: it finds everything in a text that a client acts on.

It follows the behaviour of Discord's clients and knows nothing of the renderer. Doubtful constructs count: a test that
compares two texts loses nothing by that.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_EVERYONE = ("everyone", "here")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_OF_EMOJI = frozenset({"So", "Sk", "Sm", "Po"})
_JOINER = "\u200d"

_SCHEME = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_+.-"

_BLOCK = re.compile(r" *(?:(?P<heading>#{1,3} )|(?P<subtext>-# )|(?P<quote>>>> |> )|(?P<list>[-*+] |[0-9]{1,22}[.)] ))")
"""What only counts at the start of a line."""

# A backslash escapes every sign, but no letters, digits or white space.
_INLINE = re.compile(
    r"""
    \\[^0-9A-Za-z\s]
    | (?P<code_block> ```(?!\n*```).+?``` )
    | (?P<code> (?P<ticks>`{1,100}).+?(?<!`)(?P=ticks)(?!`) )
    | `+
    | <(?P<reference>[^>]{0,2098})>
    | (?P<words>\[)
    | (?P<emphasis> \*|__|_(?![0-9A-Za-z_]) )
    | (?P<strike> ~~ )
    | (?P<spoiler> \|\| )
    | (?P<address> (?<=[0-9A-Za-z_+.-])://[^\s<]+ )
    | (?P<shortcode> :[0-9A-Za-z_+-]+: )
    | (?P<invite> (?i:d(?=iscord\.gg/|iscord\.com/invite/|iscordapp\.com/invite/)) )
    """,
    re.VERBOSE | re.DOTALL,
)

_REFERENCES = (
    ("mention", r"(@[!&]*[0-9]+)"),
    ("channel", r"(#[0-9]+)"),
    ("command", r"/(?!\s*:[0-9]+\Z)(.*):[0-9]+"),
    ("place", r"id:((?:customize|home|browse|guide|linked-roles).*)"),
    ("timestamp", r"(t:-?[0-9]+(?::[tTdDfFRsS]?)?)"),
    ("emoji", r"a?:[^:]+:[0-9]+()"),
    ("address", r"(?!/|t:|a?:)([^ ]*:/[^ ]*)"),
    ("address", r"(?!/|t:|a?:)(?=.*[0-9A-Za-z_])([^ ]*@[^ ]*|(?:mailto|tel|sms)(?::[^ ]*)?|\+[^ ]*)"),
)
"""What may stand between ``<`` and ``>``, and its target."""

_BRACKETS = re.compile(r"\\.|[\[\]]", re.DOTALL)
_ADDRESS = re.compile(r"\(([^)]*)\)")


class Construct(NamedTuple):
    """A piece of markup: its kind and, if that matters, its target."""

    kind: str
    value: str = ""


def constructs(text: str) -> list[Construct]:
    """Return everything in a text that Discord would act on, in order."""
    return [*_read(text), *_raw(text)]


def _read(text: str) -> Iterator[Construct]:
    """Read a text once, from left to right, as the clients' parsers do."""
    at, line_begins = 0, True
    while at < len(text):
        block = _BLOCK.match(text, at) if line_begins else None
        if block is not None:
            yield Construct(str(block.lastgroup))
            at = block.end()
            continue  # a quote may hold a heading, a list another list
        line_begins = text[at] == "\n"
        found = _INLINE.match(text, at)
        construct, at = (None, at + 1) if found is None else _construct(found)
        if construct is not None:
            yield construct


def _construct(found: re.Match[str]) -> tuple[Construct | None, int]:
    """Return what was found, and where to read on."""
    match found.lastgroup:
        case None:
            return None, found.end()
        case "reference":
            construct = _reference(found["reference"])
            return construct, found.start() + 1 if construct is None else found.end()
        case "words":
            return _masked_link(found.string, found.start())
        case "emphasis":
            return Construct("emphasis", found[0]), found.end()
        case "address":
            begin = len(found.string[: found.start()].rstrip(_SCHEME))
            return Construct("address", found.string[begin : found.end()]), found.end()
        case kind:
            return Construct(kind.replace("_", " ")), found.end()


def _reference(inside: str) -> Construct | None:
    """Return the construct between ``<`` and ``>``, if it is one."""
    for kind, pattern in _REFERENCES:
        if found := re.fullmatch(pattern, inside, re.DOTALL):
            return Construct(kind, found[1])
    return None


def _masked_link(text: str, at: int) -> tuple[Construct | None, int]:
    """Read ``[words](address)``; brackets in the words may be nested or escaped."""
    depth = 0
    for found in _BRACKETS.finditer(text, at) if "](" in text[at:] else ():
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        if depth == 0:
            address = _ADDRESS.match(text, found.end())
            target = "".join(address[1].split()[:1]).strip("<>") if address else ""
            if address and ":" in target:
                return Construct("link", target), address.end()
            break
    return None, at + 1


def _raw(text: str) -> Iterator[Construct]:
    """Find hidden characters, and mentions that count even in code and behind escapes."""
    seen = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Mn", "Me"))
    lowered = seen.casefold()
    for word in _EVERYONE:
        yield from [Construct("everybody", word)] * lowered.count(f"@{word}")
    for place, character in enumerate(text):
        if character == "\n" or unicodedata.category(character) not in _UNSEEN:
            continue
        if character != _JOINER or not _joins_emoji(text, place):
            yield Construct("hidden", f"U+{ord(character):04X}")


def _joins_emoji(text: str, place: int) -> bool:
    """Return whether a zero-width joiner joins two emoji into one picture."""
    before, after = text[:place].removesuffix("\ufe0f")[-1:], text[place + 1 : place + 2]
    return all(sign > "\x7f" and unicodedata.category(sign) in _OF_EMOJI for sign in (before or " ", after or " "))
