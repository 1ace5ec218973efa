"""Unicode's normal forms of outside text, in linear time."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

_MARKS = 30
"""The marks that Unicode's Stream-Safe Text Format allows on one character (UAX #15): more than any script has."""

_GREETING = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"
"""A letter that NFKC makes eighteen of; the next longest becomes eight."""
_GREETING_BEGINS = unicodedata.normalize("NFKC", _GREETING).split()[0]

_RUN = re.compile(rf"[^\w\s\x00-\u02ff]{{{_MARKS + 1},}}")
"""A run of characters that may be marks: no mark is a letter, a digit or a blank."""


def normalized(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return ``text`` in a normal form, without more than 30 marks on one character.

    Python puts the marks of a character in order one by one: the time for thousands of them would be quadratic.
    """
    if text.isascii():
        return text
    short = _RUN.sub(_with_few_marks, text)
    if form == "NFKC":
        short = short.replace(_GREETING, _GREETING_BEGINS)
    return unicodedata.normalize(form, short)


def _with_few_marks(run: re.Match[str]) -> str:
    kept = []
    marks = 0
    for letter in run[0]:
        marks = marks + 1 if _is_mark(letter) else 0
        if marks <= _MARKS:
            kept.append(letter)
    return "".join(kept)


@lru_cache(maxsize=4_096)
def _is_mark(letter: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", letter)[0]) != 0  # a few letters fall into marks alone
