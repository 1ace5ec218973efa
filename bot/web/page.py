"""HTML pages with a title, paragraphs and at most one action; for phones too, light and dark, without any resource."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from http import HTTPStatus
from pathlib import Path
from string import Template

from bot.ui.kit.text import plain

_NAME = 64
"""Characters of a name that are shown; Discord allows 32 for users and 100 for servers."""


class Mood(StrEnum):
    """The colour of the line above a page."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is safe to use as it is."""

    html: str


@dataclass(frozen=True, slots=True)
class Block(Markup):
    """Markup that is not put into a paragraph."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a browser: paragraphs and blocks, below them the ``action``."""

    title: str
    body: Sequence[str | Markup]
    status: HTTPStatus = HTTPStatus.OK
    mood: Mood = Mood.NEUTRAL
    action: Markup | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def html(self) -> str:
        """Return the whole document."""
        return _DOCUMENT.substitute(
            title=escape(self.title),
            mood=self.mood.value,
            body="\n".join(each.html if isinstance(each, Block) else f"<p>{_safe(each)}</p>" for each in self.body),
            action="" if self.action is None else self.action.html,
            style=_STYLE,
        )


def markup(template: str, **values: str | Markup) -> Markup:
    """Fill a template of trusted HTML; each ``$name`` is replaced by its value, escaped unless it is markup."""
    return Markup(Template(template).substitute({name: _safe(value) for name, value in values.items()}))


def facts(**values: str | Markup) -> Block:
    """Return a box of names and values."""
    rows = (f"<dt>{escape(label.replace('_', ' '))}</dt><dd>{_safe(value)}</dd>" for label, value in values.items())
    return Block(f"<dl>{''.join(rows)}</dl>")


def warning(text: str) -> Block:
    """Return a paragraph that stands out."""
    return Block(f'<p class="warn">{escape(text)}</p>')


def name(text: str) -> Markup:
    """Return a name that a user chose: cleaned, shortened, escaped, with its own text direction."""
    return markup("<bdi>$name</bdi>", name=plain(text, _NAME))


def link(label: str, to: str) -> Markup:
    """Return a link with the look of a button."""
    return markup('<p class="do"><a href="$to" rel="noreferrer">$label</a></p>', label=label, to=to)


def form(label: str, to: str, **hidden: str) -> Markup:
    """Return a button that posts to ``to``."""
    fields = Markup(
        "".join(markup('<input type="hidden" name="$n" value="$v">', n=n, v=v).html for n, v in hidden.items())
    )
    return markup(
        '<form method="post" action="$to">$fields<p class="do"><button type="submit">$label</button></p></form>',
        to=to,
        fields=fields,
        label=label,
    )


def _safe(value: str | Markup) -> str:
    return value.html if isinstance(value, Markup) else escape(value)


_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_DOCUMENT = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""The name of the style sheet in the content security policy."""
