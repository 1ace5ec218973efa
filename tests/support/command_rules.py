"""Discord's limits on command definitions, and SkinDesk's own rules for them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.support.component_rules import choice_rules
from tests.support.payload_texts import length, text

_SUBCOMMAND, _GROUP, _STRING = 1, 2, 3
_CHAT, _USER, _MESSAGE = 1, 2, 3
_MOST = {_CHAT: 100, _USER: 15, _MESSAGE: 15}
_NAME = re.compile(r"[-\w]{1,32}")
_GUILD_ONLY = [0]
_UNDESCRIBED = "…"
"""discord.py sends this for a missing description."""

Node = Mapping[str, Any]


def commands(definitions: Sequence[Node], *, in_guild: bool) -> Iterator[str]:
    """Find violations in a sync of commands."""
    kinds = Counter(each.get("type", _CHAT) for each in definitions)
    for kind, most in _MOST.items():
        if kinds[kind] > most:
            yield f"{kinds[kind]} commands of type {kind}, more than {most}"
    for (kind, name), times in Counter((each.get("type", _CHAT), each.get("name")) for each in definitions).items():
        if times > 1:
            yield f"command {name!r} of type {kind} is there {times} times"
    for each in definitions:
        yield from _command(each, in_guild=in_guild)


def _command(command: Node, *, in_guild: bool) -> Iterator[str]:
    path = f"command {command.get('name')!r}"
    if command.get("type", _CHAT) == _CHAT:
        yield from _named(path, command)
        yield from _options(path, command.get("options") or [], depth=0)
    else:
        yield from text(f"{path}.name", command.get("name"), 32)
        if command.get("description") or command.get("options"):
            yield f"{path} is a context menu and has a description or options"
    if command.get("default_member_permissions") is not None:
        yield f"{path} sets default_member_permissions"
    contexts = command.get("contexts")
    if contexts != _GUILD_ONLY and not (in_guild and contexts is None):
        yield f"{path} can be used outside guilds"
    if _size(command) > 8000:
        yield f"{path} has {_size(command)} characters, more than 8000"


def _named(path: str, node: Node) -> Iterator[str]:
    name = node.get("name") or ""
    if not _NAME.fullmatch(name) or name != name.lower():
        yield f"{path}: {name!r} is no name of a command or option"
    yield from text(f"{path}.description", node.get("description"), 100)
    if node.get("description") == _UNDESCRIBED:
        yield f"{path} is not described"
    for locale, description in (node.get("description_localizations") or {}).items():
        yield from text(f"{path}.description in {locale}", description, 100)
    if node.get("name_localizations"):
        yield f"{path} has another name in other languages"


def _options(path: str, options: Sequence[Node], *, depth: int) -> Iterator[str]:
    if len(options) > 25:
        yield f"{path}: {len(options)} options, more than 25"
    for name, times in Counter(option.get("name") for option in options).items():
        if times > 1:
            yield f"{path}: option {name!r} is there {times} times"
    branches = sum(option.get("type") in (_SUBCOMMAND, _GROUP) for option in options)
    if branches not in (0, len(options)):
        yield f"{path} has subcommands beside options"
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        yield f"{path}: a required option comes after an optional one"
    for option in options:
        yield from _option(f"{path}.{option.get('name')}", option, depth=depth)


def _option(path: str, option: Node, *, depth: int) -> Iterator[str]:
    yield from _named(path, option)
    kind = option.get("type")
    if kind in (_SUBCOMMAND, _GROUP):
        if depth > (1 if kind == _SUBCOMMAND else 0):
            yield f"{path} is nested too deep"
        yield from _options(path, option.get("options") or [], depth=depth + 1)
        return
    offered = option.get("choices") or []
    if len(offered) > 25:
        yield f"{path}: {len(offered)} choices, more than 25"
    if offered and option.get("autocomplete"):
        yield f"{path} has choices and autocomplete"
    for place, choice in enumerate(offered):
        yield from choice_rules(f"{path}.choices[{place}]", choice)
        for locale, name in (choice.get("name_localizations") or {}).items():
            yield from text(f"{path}.choices[{place}].name in {locale}", name, 100)
    for name, times in Counter(choice.get("name") for choice in offered).items():
        if times > 1:
            yield f"{path}: choice {name!r} is there {times} times"
    least, most = option.get("min_length") or 0, option.get("max_length") or 6000
    if kind == _STRING and not 0 <= least <= most <= 6000:
        yield f"{path} takes {least} to {most} characters"


def _size(node: Node) -> int:
    """Count the characters as Discord does: of each text the longest of all languages."""
    texts = [
        [value, *(node.get(f"{key}_localizations") or {}).values()]
        for key in ("name", "description", "value")
        if isinstance(value := node.get(key), str)
    ]
    own = sum(max(map(length, languages)) for languages in texts)
    return own + sum(_size(each) for key in ("options", "choices") for each in node.get(key) or [])
