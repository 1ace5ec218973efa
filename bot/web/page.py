"""HTML pages with a title, paragraphs and at most one action; for phones too, light and dark, without any resource."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from http import HTTPStatus
from pathlib import Path
from string import Template

from aiohttp import hdrs

from bot.languages import Message, current, t
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
            language=escape(current().code),
            title=escape(self.title),
            mood=self.mood.value,
            body="\n".join(each.html if isinstance(each, Block) else f"<p>{_safe(each)}</p>" for each in self.body),
            action="" if self.action is None else self.action.html,
            footer=escape(t("SkinDesk is not affiliated with Valve or Discord.")),
            style=_STYLE,
        )


class Notice:
    """A page that says the same to everyone; its texts may have HTML in them."""

    def __init__(
        self,
        title: Message,
        *body: Message,
        status: HTTPStatus,
        mood: Mood = Mood.NEUTRAL,
        retry_after: int | None = None,
    ) -> None:
        """Take ``retry_after`` in seconds."""
        self._title, self._body, self._status, self._mood = title, body, status, mood
        self._headers: dict[str, str] = {} if retry_after is None else {hdrs.RETRY_AFTER: str(retry_after)}

    def __call__(self) -> Page:
        """Return the page in the reader's language."""
        body = [markup(each) for each in self._body]
        return Page(self._title(), body, status=self._status, mood=self._mood, headers={**self._headers})


def markup(message: Message, **values: str | Markup) -> Markup:
    """Fill a message that has HTML in it; each placeholder is replaced by its value, escaped unless it is markup."""
    return Markup(message(**_safe_each(values)))


def facts(*rows: tuple[str, str | Markup]) -> Block:
    """Return a box of labels and values."""
    lines = (f"<dt>{escape(label)}</dt><dd>{_safe(value)}</dd>" for label, value in rows)
    return Block(f"<dl>{''.join(lines)}</dl>")


def warning(text: str) -> Block:
    """Return a paragraph that stands out."""
    return Block(f'<p class="warn">{escape(text)}</p>')


def name(text: str) -> Markup:
    """Return a name that a user chose: cleaned, shortened, escaped, with its own text direction."""
    return _filled(template="<bdi>{name}</bdi>", name=plain(text, _NAME))


def two_lines(first: Markup, second: Markup) -> Markup:
    """Return two texts, the second one small and below the first."""
    return _filled(template="{first}<br><small>{second}</small>", first=first, second=second)


def link(label: str, to: str) -> Markup:
    """Return a link with the look of a button."""
    return _filled(template='<p class="do"><a href="{to}" rel="noreferrer">{label}</a></p>', label=label, to=to)


def form(label: str, to: str, **hidden: str) -> Markup:
    """Return a button that posts to ``to``."""
    fields = (
        _filled(template='<input type="hidden" name="{field}" value="{value}">', field=field, value=value).html
        for field, value in hidden.items()
    )
    button = _filled(template='<p class="do"><button type="submit">{label}</button></p>', label=label)
    return _filled(
        template='<form method="post" action="{to}">{fields}{button}</form>',
        to=to,
        fields=Markup("".join(fields)),
        button=button,
    )


def _filled(*, template: str, **values: str | Markup) -> Markup:
    """Fill HTML of our own, as :func:`markup` fills a message."""
    return Markup(template.format_map(_safe_each(values)))


def _safe_each(values: Mapping[str, str | Markup]) -> dict[str, str]:
    return {name: _safe(value) for name, value in values.items()}


def _safe(value: str | Markup) -> str:
    return value.html if isinstance(value, Markup) else escape(value)


_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_DOCUMENT = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""The name of the style sheet in the content security policy."""
