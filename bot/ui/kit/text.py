"""Makes untrusted text safe to show on Discord; formats money and times."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice

import grapheme  # type: ignore[import-untyped]  # -- it ships no types

from bot.domain.money import Money
from bot.domain.normal_forms import normalized
from bot.languages import current, t
from bot.languages.numbers import amount as localised_amount
from bot.languages.numbers import localised

ELLIPSIS = "…"
NOTHING = "–"
"""Shown for an empty text, which Discord refuses."""
NAME_REACH = 2_048
"""More characters of a name than any limit shows."""

_EMOJI = (
    "\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
_JOINER = "\u200d"
_BLANKS = re.compile(r"[\s\u115f\u1160\u2800\u3164\uffa0]+")
_SPACES = re.compile(" {2,}")
_REMOVED_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs"})
# Invisible, although their category does not say so: ignorable marks, unassigned ignorables, tags, noncharacters.
_REMOVED = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\u2065\ufdd0-\ufdef\ufff0-\ufff8\ufffe\uffff\U0001d159\U000e0000-\U000e0fff]",
)
# A variation selector belongs behind an emoji or in a keycap, a joiner between two emoji; elsewhere they only hide.
_STRAY_SELECTOR = re.compile(f"(?<![{_EMOJI}])(?!(?<=[0-9#*])\ufe0f\u20e3)[\ufe00-\ufe0f]")
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f]){_JOINER}|{_JOINER}(?![{_EMOJI}])")
# Burmese or Tibetan put up to six marks on a letter, but no script stacks more than three above or below it.
_STACKED_MARKS = 3
_MARKS = 6

# Discord ignores invisible characters behind the @, so only another sign prevents the mention.
_EVERYONE = re.compile(r"(?i)@(?=everyone|here|$)")
_OTHER_AT = "\uff20"
_OTHER_TICK = "\u02cb"
_LIVE = re.compile(
    r"""
      [\\`*~<>\[\]@]                        # emphasis, code, strikes, links, mentions, everything in angle brackets
    | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9])  # emphasis; inside an ASCII word an underscore is only a letter
    | (?<!\ )\| | \|(?!\ )                  # spoilers; alone between spaces a bar is only a letter
    | :(?=\S)                               # schemes of addresses, :shortcodes:
    | (?<=\w)\.(?=[^\W\d_])                 # domains
    | &(?=\#?\w*(?:;|$))                    # entities
    | ^[-+=\#./]                            # headings, subtext, lists, rules; the rest of a neighbour's address
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"^(\d+)([.)])")

_FINEST = Decimal("1E-8")
_MOST = Decimal("1E+15")


def utf16_length(text: str) -> int:
    """Return the length of a text in UTF-16 units.

    Discord's API counts code points and its clients UTF-16 units, which are never fewer: this length fits both.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> Iterator[str]:
    """Split a text into the characters that a reader sees: an emoji, a flag or a letter with its marks is one."""
    return iter(text) if text.isascii() else grapheme.graphemes(text)


def outside(text: str, limit: int = 256) -> str:
    """Return untrusted text for a place that renders markdown: it shows as written, without markup, links or mentions.

    Such places are message content, and an embed's title, description, field names and field values.
    The result has 1 to ``limit`` UTF-16 units and no newline, and is safe next to other text.
    """
    return _fitted(text, limit, _escaped)


def plain(text: str, limit: int = 100) -> str:
    """Return untrusted text for a place without markdown: cleaned and cut, but not escaped.

    Such places are an embed's author and footer, labels and descriptions of components, modals, and the names of
    autocomplete choices.
    """
    return _fitted(text, limit, str)


item_name = lru_cache(maxsize=2_048)(outside)
"""An item's name by :func:`outside`, from a cache: items are few, and every page repeats their names.

Not for secrets or typed text, which must not outlive their request. Cut the text to ``NAME_REACH`` before, which bounds
the cache.
"""

item_label = lru_cache(maxsize=2_048)(plain)
"""An item's name by :func:`plain`, from a cache like that of :func:`item_name`."""


def code(text: str, limit: int = 256) -> str:
    """Return untrusted text as inline code; ``limit``, 3 or more, includes the backticks."""
    return f"`{_fitted(text, limit - 2, _quoted)}`"


def quoted(text: str) -> str:
    """Return a safe text in the quotation marks of the language."""
    # Translators: only the quotation marks are to be translated.
    return t("“{text}”", text=text)


def labelled(label: str, value: str) -> str:
    """Return a safe text behind its label."""
    # Translators: only the colon, and the space around it, are to be translated.
    return t("{label}: {value}", label=label, value=value)


def money(amount: Money) -> str:
    """Return an amount in the current language, exact up to eight decimals: ``$1,204.50`` or ``12.98 XYZ`` in English.

    A currency that the language has no symbol for stands behind the number with its code.
    """
    value = amount.amount
    if -_MOST <= value <= _MOST:  # only a comparison cannot overflow
        return _money(value.quantize(_FINEST), amount.currency)
    if value < 0:
        return t("less than {amount}", amount=_money(-_MOST, amount.currency))
    return t("more than {amount}", amount=_money(_MOST, amount.currency))


def _money(value: Decimal, currency: str) -> str:
    whole, _, decimals = f"{abs(value):,f}".partition(".")
    plain_number = f"{'-' if value < 0 else ''}{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    symbol = current().formats.symbols.get(currency)
    if symbol is None:
        return f"{localised(plain_number)}\u00a0{outside(currency, 12)}"
    return localised_amount(plain_number, symbol)


def moment(at: datetime) -> str:
    """Return a Discord timestamp: date and time in the reader's own zone."""
    return f"<t:{_unix(at)}:f>"


def day(at: datetime) -> str:
    """Return a Discord timestamp: the date in the reader's own zone."""
    return f"<t:{_unix(at)}:D>"


def relative(at: datetime) -> str:
    """Return a Discord timestamp: "in 5 minutes" or "2 days ago"."""
    return f"<t:{_unix(at)}:R>"


def _clean(text: str) -> str:
    """Return one line of visible characters in NFC, with few marks on each."""
    if text.isascii() and text.isprintable():  # most texts: nothing of what follows can be in them
        return _SPACES.sub(" ", text).strip(" ")
    spaced = _BLANKS.sub(" ", text)
    visible = "".join(
        character
        for character in spaced
        if (character == _JOINER or unicodedata.category(character) not in _REMOVED_CATEGORIES)
        and ord(character) & 0xFFFE != 0xFFFE  # noqa: PLR2004 -- the last two of each plane are noncharacters
    )
    composed = normalized("NFC", _REMOVED.sub("", visible))
    joined = _STRAY_JOINER.sub("", _STRAY_SELECTOR.sub("", composed))
    return "".join(_with_few_marks(_SPACES.sub(" ", joined))).rstrip()


def _with_few_marks(text: str) -> Iterator[str]:
    marks = None  # no letter yet: a mark would fall on the text before
    for character in text:
        is_mark = unicodedata.category(character).startswith("M")
        if marks is None and (is_mark or character == " "):
            continue
        if marks is None or not is_mark:
            marks = 0
        elif marks < (_STACKED_MARKS if unicodedata.combining(character) else _MARKS):
            marks += 1
        else:
            continue
        yield character


def _escaped(text: str) -> str:
    safe = _LIVE.sub(r"\\\g<0>", _EVERYONE.sub(_OTHER_AT, text))
    return _NUMBERED.sub(r"\1\\\2", safe)


def _quoted(text: str) -> str:
    return _EVERYONE.sub(_OTHER_AT, text.replace("`", _OTHER_TICK))


def _fitted(text: str, limit: int, dress: Callable[[str], str]) -> str:
    """Clean a text and cut it so that it fits once ``dress`` has escaped it."""
    # A provider may send megabytes: text far behind the limit is not worth cleaning.
    reach = 8 * limit + 256
    clean = _clean(text[:reach])
    if not clean:
        return dress(NOTHING)
    whole = dress(clean)
    if len(text) <= reach and utf16_length(whole) <= limit:
        return whole
    clusters = list(islice(graphemes(clean), limit + 1))  # each has at least one unit

    def shortened(kept: int) -> str:
        return dress("".join(clusters[:kept]).rstrip() + ELLIPSIS)

    fits, too_many = 0, min(len(clusters), limit) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if utf16_length(shortened(middle)) <= limit:
            fits = middle
        else:
            too_many = middle
    return shortened(fits)


def _unix(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError(at)
    return int(at.timestamp())
