"""Discord's limits on texts and addresses, and characters that a text must not have."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

HOSTS = frozenset(
    {
        "community.akamai.steamstatic.com",
        "community.cloudflare.steamstatic.com",
        "community.fastly.steamstatic.com",
        "discord.com",
        "steamcommunity-a.akamaihd.net",
        "steamcommunity.com",
    }
)
"""The allowed hosts of addresses in messages."""

_INLINE_CODE = re.compile(r"`[^`\n]+`")
_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^\s<>()\[\]]*")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def length(value: str) -> int:
    """Count UTF-16 units, which are never fewer than the code points that Discord's API counts."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def text(path: str, value: Any, most: int, *, may_be_empty: bool = False) -> Iterator[str]:
    """Find a text that is missing, empty or too long."""
    if not isinstance(value, str):
        yield f"{path} is not a text"
    elif not value.strip() and not may_be_empty:
        yield f"{path} is empty"
    elif length(value) > most:
        yield f"{path} has {length(value)} characters, more than {most}"


def optional_text(path: str, value: Any, most: int) -> Iterator[str]:
    """Find a text that is not None, and empty or too long."""
    if value is not None:
        yield from text(path, value, most)


def address(path: str, url: Any, hosts: Collection[str], *, most: int = 2048) -> Iterator[str]:
    """Find an address that is not https to a known host; its path is not repeated."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" and parts.hostname in hosts and parts.netloc == parts.hostname
    except (AttributeError, TypeError, ValueError):
        yield f"{path} is no address"
        return
    if not known:
        yield f"{path} leads to {parts.scheme}://{parts.hostname}, which is no known host over https"
    elif length(url) > most:
        yield f"{path} has {length(url)} characters, more than {most}"


def addresses_in(path: str, value: Any, hosts: Collection[str]) -> Iterator[str]:
    """Find links to other hosts; escaped ones and inline code are no links."""
    for match in _ADDRESS.finditer(_INLINE_CODE.sub("", value) if isinstance(value, str) else ""):
        yield from address(path, match[0], hosts)


def hidden_characters(body: Any, path: str = "body") -> Iterator[str]:
    """Find characters in a body that cannot be sent or that readers cannot see."""
    if isinstance(body, str):
        if not body.replace("\n", "").isprintable():  # no hidden character is printable, and Python asks faster
            for character in sorted({character for character in body if _is_hidden(character)}):
                yield f"{path} has a hidden character U+{ord(character):04X}"
    elif isinstance(body, Mapping):
        for name, value in body.items():
            yield from hidden_characters(value, f"{path}.{name}")
    elif isinstance(body, list | tuple):
        for place, value in enumerate(body):
            yield from hidden_characters(value, f"{path}[{place}]")


def _is_hidden(character: str) -> bool:
    return character not in "\n\u200d" and unicodedata.category(character) in _HIDDEN_CATEGORIES
