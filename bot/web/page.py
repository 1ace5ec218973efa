"""HTML pages with a title, paragraphs and at most one action; for phones too, light and dark, without any resource."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from http import HTTPStatus
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


_STYLE = """
:root{color-scheme:light dark;--page:#f2f3f5;--card:#fff;--text:#1e1f22;--dim:#4e5058;--line:#d5d7dc;--do:#4752c4;
--neutral:#5865f2;--good:#1f7a44;--warning:#a86500;--bad:#b3261e;--soft:#f2f3f5}
@media (prefers-color-scheme:dark){:root{--page:#1e1f22;--card:#2b2d31;--text:#f2f3f5;--dim:#b5bac1;--line:#3f4147;
--do:#5865f2;--neutral:#949cf7;--good:#57c785;--warning:#f0b132;--bad:#f28b82;--soft:#232428}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--page);color:var(--text);
font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:34rem;margin:4vh auto;padding:1.5rem;background:var(--card);border:1px solid var(--line);
border-top:6px solid var(--neutral);border-radius:12px;overflow-wrap:anywhere}
main.good{border-top-color:var(--good)}main.warning{border-top-color:var(--warning)}main.bad{border-top-color:var(--bad)}
h1{margin:0 0 1rem;font-size:1.4rem;line-height:1.3}
p{margin:0 0 1rem}
dl{margin:0 0 1rem;padding:.75rem 1rem;background:var(--soft);border:1px solid var(--line);border-radius:8px}
small{font-weight:400;font-size:.95rem;color:var(--dim)}
dt{color:var(--dim);font-size:.9rem}dd{margin:0 0 .5rem;font-weight:600}dd:last-child{margin:0}
.warn{padding:.75rem 1rem;border-left:4px solid var(--warning);background:var(--soft);border-radius:4px}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.95em}
.do{margin:1.5rem 0 0}
.do a,button{display:block;width:100%;padding:.85rem 1rem;border:0;border-radius:8px;background:var(--do);color:#fff;
font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
.do a:focus-visible,button:focus-visible{outline:3px solid var(--text);outline-offset:2px}
footer{max-width:34rem;margin:0 auto;color:var(--dim);font-size:.85rem;text-align:center}
"""

STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""The name of the style sheet in the content security policy."""

_DOCUMENT = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title · SkinDesk</title>
<style>$style</style>
</head>
<body>
<main class="$mood">
<h1>$title</h1>
$body
$action
</main>
<footer>SkinDesk. Not affiliated with Valve or Discord.</footer>
</body>
</html>
"""
)
