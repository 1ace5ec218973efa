"""Takes HTML and BBCode out of a provider's text, so that people read its words."""

import html
import re

_REACH = 4_000
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|ol|p|pre|s|script|small|"
    r"span|strike|strong|style|sub|sup|table|tbody|td|th|thead|title|tr|tt|u|ul)(?:[\s/][^<>]{0,500})?/?>|<!--[^<>]{0,500}-->",
    re.IGNORECASE,
)
_BBCODE = re.compile(
    r"\[/?(?:b|i|u|s|url|img|code|quote|list|color|size|center|noparse|spoiler|strike|table|tr|td|th|h[1-6]|hr|\*)"
    r"(?:=[^\[\]]{0,500})?\]",
    re.IGNORECASE,
)


def without_markup(text: str) -> str:
    """Return the words of a text with HTML tags, entities or BBCode; it is untrusted as before."""
    for _ in range(2):  # an escaped tag is a tag after its entities are replaced
        text = _BBCODE.sub(" ", _TAG.sub(" ", html.unescape(text[:_REACH])))
    return " ".join(text.split())
