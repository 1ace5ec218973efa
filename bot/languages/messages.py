"""Messages in the language of the current task. The functions are named as gettext's, with a t for "translate"."""

from bot.languages.language import current
from bot.languages.numbers import number


def t(english: str, /, **values: object) -> str:
    """Return a message with its ``{placeholders}`` filled. Without values, braces are only braces."""
    text = current().messages.gettext(english)
    return text.format_map(values) if values else text


def tn(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the form of a message for a number, which is ``{count}`` in it."""
    return current().messages.ngettext(one, many, count).format(count=number(count), **values)


def tp(context: str, english: str, /, **values: object) -> str:
    """Return a message that is translated for this context: a word alone may have several translations."""
    text = current().messages.pgettext(context, english)
    return text.format_map(values) if values else text


def translated(english: str) -> str:
    """Return a text of the explanations' catalogue."""
    return current().explanations.gettext(english) if english else ""


class Message:
    """A message to translate later: for constants, which exist before a reader does."""

    __slots__ = ("context", "english")

    def __init__(self, english: str, context: str = "", /) -> None:
        self.english = english
        self.context = context

    def __str__(self) -> str:
        return self()

    def __call__(self, **values: object) -> str:
        """Return it in the language of the current task, with its ``{placeholders}`` filled."""
        return tp(self.context, self.english, **values) if self.context else t(self.english, **values)
