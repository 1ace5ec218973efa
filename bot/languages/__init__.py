"""The languages that people read: the one of the current task, and messages in it.

A message is an English sentence in the code, with ``{placeholders}``; the catalogues of gettext have its translations.
``python -m tests.languages`` collects the messages. Operators read English: log, command line, checks.
"""

from bot.languages.language import (
    ENGLISH,
    LANGUAGES,
    Language,
    current,
    has_versions,
    in_language,
    of_code,
    of_locale,
    use,
)
from bot.languages.messages import Message, t, tn, tp, translated
from bot.languages.numbers import decimal, listed, number, paragraph

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "Language",
    "Message",
    "current",
    "decimal",
    "has_versions",
    "in_language",
    "listed",
    "number",
    "of_code",
    "of_locale",
    "paragraph",
    "t",
    "tn",
    "tp",
    "translated",
    "use",
]
