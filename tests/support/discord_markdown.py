"""An independent reader of Discord's markdown: it finds everything in a text that a client acts on.

It follows the behaviour of Discord's clients and knows nothing of the renderer. Doubtful constructs count: a test that
compares two texts loses nothing by that.
"""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORD = _DIGITS | _LETTERS | {"_"}
_TIME_STYLES = frozenset("tTdDfFRsS")
_PLACES = ("customize", "home", "browse", "guide", "linked-roles")
_EVERYONE = ("everyone", "here")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_OF_EMOJI = frozenset({"So", "Sk", "Sm", "Po"})
_JOINER = "\u200d"
_INVITES = ("discord.gg/", "discord.com/invite/", "discordapp.com/invite/")


class Construct(NamedTuple):
    """A piece of markup: its kind and, if that matters, its target."""

    kind: str
    value: str = ""


def constructs(text: str) -> list[Construct]:
    """Return everything in a text that Discord would act on, in order."""
    return [*_Reader(text).read(), *_raw(text)]


class _Reader:
    """Reads a text once, from left to right, as the clients' parsers do."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> Iterator[Construct]:
        line_begins = True
        while self.at < len(self.text):
            if line_begins:
                block = self._block()
                if block is not None:
                    yield block
                    continue  # a quote may hold a heading, a list another list
            character = self.text[self.at]
            line_begins = character == "\n"
            found = self._inline(character)
            if found is not None:
                yield found

    def _block(self) -> Construct | None:
        """Read a marker that only counts at the start of a line."""
        begin = self.at
        while self._peek() == " ":
            self.at += 1
        line = self.text[self.at : self.at + 24]
        for marker, kind in (
            ("### ", "heading"),
            ("## ", "heading"),
            ("# ", "heading"),
            ("-# ", "subtext"),
            (">>> ", "quote"),
            ("> ", "quote"),
            ("- ", "list"),
            ("* ", "list"),
            ("+ ", "list"),
        ):
            if line.startswith(marker):
                self.at += len(marker)
                return Construct(kind)
        digits = len(line) - len(line.lstrip("0123456789"))
        if digits and line[digits : digits + 2] in (". ", ") "):
            self.at += digits + 2
            return Construct("list")
        self.at = begin
        return None

    def _inline(self, character: str) -> Construct | None:  # noqa: PLR0911 -- a case for each sign
        match character:
            case "\\":
                following = self._peek(1)
                # A backslash escapes every sign, but no letters, digits or white space.
                is_sign = following != "" and following not in _WORD - {"_"} and not following.isspace()
                self.at += 2 if is_sign else 1
                return None
            case "`":
                return self._code()
            case "<":
                return self._angle()
            case "[":
                return self._masked_link()
            case "*":
                return self._step(Construct("emphasis", "*"))
            case "_":
                return self._underscore()
            case "~" | "|" if self._peek(1) == character:
                self.at += 1
                return self._step(Construct("strike" if character == "~" else "spoiler"))
            case ":":
                return self._colon()
            case "d" | "D" if self.text[self.at : self.at + 24].casefold().startswith(_INVITES):
                return self._step(Construct("invite"))
            case _:
                self.at += 1
                return None

    def _step(self, found: Construct) -> Construct:
        self.at += 1
        return found

    def _peek(self, ahead: int = 0) -> str:
        return self.text[self.at + ahead : self.at + ahead + 1]

    def _code(self) -> Construct | None:
        """Read a code block or a code span; markup inside does not count."""
        if self.text.startswith("```", self.at):
            end = self.text.find("```", self.at + 3)
            if end > self.at + 3 and self.text[self.at + 3 : end].strip("\n"):
                self.at = end + 3
                return Construct("code block")
        longest = len(self.text[self.at :]) - len(self.text[self.at :].lstrip("`"))
        for ticks in range(min(longest, 100), 0, -1):
            behind = self._end_of_code(ticks)
            if behind is not None:
                self.at = behind
                return Construct("code")
        self.at += longest
        return None

    def _end_of_code(self, ticks: int) -> int | None:
        """Return the end of a span of so many backticks: exactly as many again."""
        fence = "`" * ticks
        begin = self.at + ticks
        end = self.text.find(fence, begin + 1)
        while end != -1:
            if self.text[end - 1] != "`" and self.text[end + ticks : end + ticks + 1] != "`":
                return end + ticks
            end = self.text.find(fence, end + 1)
        return None

    def _angle(self) -> Construct | None:
        end = self.text.find(">", self.at, self.at + 2100)
        inside = self.text[self.at + 1 : end] if end != -1 else ""
        found = _reference(inside)
        if found is None:
            self.at += 1
            return None
        self.at = end + 1
        return found

    def _masked_link(self) -> Construct | None:
        """Read ``[words](address)``; brackets in the words may be nested or escaped."""
        depth, place = 0, self.at
        while place < len(self.text):
            character = self.text[place]
            if character == "\\":
                place += 1
            elif character == "[":
                depth += 1
            elif character == "]":
                depth -= 1
                if depth == 0:
                    break
            place += 1
        if self.text[place + 1 : place + 2] != "(":
            self.at += 1
            return None
        end = self.text.find(")", place + 2)
        address = self.text[place + 2 : end].strip() if end != -1 else ""
        target = address.split()[0].strip("<>") if address.split() else ""
        if ":" not in target:
            self.at += 1
            return None
        self.at = end + 1
        return Construct("link", target)

    def _underscore(self) -> Construct | None:
        """Read a marker of emphasis: two underscores anywhere, or one that can close it."""
        if self._peek(1) == "_":
            self.at += 1
            return self._step(Construct("emphasis", "__"))
        closes = self._peek(1) not in _WORD or self._peek(1) == ""
        self.at += 1
        return Construct("emphasis", "_") if closes else None

    def _colon(self) -> Construct | None:
        """Read a bare address from its scheme before the colon, or an emoji's shortcode."""
        if self.text.startswith("://", self.at):
            begin = self.at
            while begin and self.text[begin - 1] in _WORD | {"+", ".", "-"}:
                begin -= 1
            end = self.at + 3
            while end < len(self.text) and not self.text[end].isspace() and self.text[end] != "<":
                end += 1
            address = self.text[begin:end]
            if begin < self.at and end > self.at + 3:
                self.at = end
                return Construct("address", address)
        end = self.at + 1
        while end < len(self.text) and self.text[end] in _WORD | {"+", "-"}:
            end += 1
        if end > self.at + 1 and self.text[end : end + 1] == ":":
            self.at = end
            return self._step(Construct("shortcode"))
        self.at += 1
        return None


def _reference(inside: str) -> Construct | None:  # noqa: PLR0911 -- a case for each form
    """Return the construct between ``<`` and ``>``, if it is one."""
    if inside.startswith("@") and _is_number(inside[1:].lstrip("!&")):
        return Construct("mention", inside)
    if inside.startswith("#") and _is_number(inside[1:]):
        return Construct("channel", inside)
    if inside.startswith("/"):
        name, _, number = inside[1:].rpartition(":")
        return Construct("command", name) if name.strip() and _is_number(number) else None
    head, _, tail = inside.partition(":")
    if head == "id" and tail.startswith(_PLACES):
        return Construct("place", tail)
    if head == "t":
        seconds, _, style = tail.partition(":")
        if _is_number(seconds.removeprefix("-")) and (style == "" or style in _TIME_STYLES):
            return Construct("timestamp", inside)
        return None
    if head in ("", "a"):
        name, _, number = tail.partition(":")
        return Construct("emoji") if name and _is_number(number) else None
    if " " not in inside and ":/" in inside:
        return Construct("address", inside)
    if " " not in inside and ("@" in inside or head in ("mailto", "tel", "sms") or inside.startswith("+")):
        return Construct("address", inside) if any(character in _WORD for character in inside) else None
    return None


def _is_number(text: str) -> bool:
    return text != "" and all(character in _DIGITS for character in text)


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
