"""Discord's limits on buttons, select menus, modals and autocomplete choices."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tests.support.payload_texts import address, optional_text, text

ROW, BUTTON, SELECT, INPUT = 1, 2, 3, 4
_SELECTS = frozenset({SELECT, 5, 6, 7, 8})
_LINK_STYLE = 5
_STYLES = frozenset({1, 2, 3, 4, _LINK_STYLE})

Component = Mapping[str, Any]


def components(rows: Sequence[Component], *, hosts: Collection[str]) -> Iterator[str]:
    """Find what Discord would refuse in the rows under a message."""
    if len(rows) > 5:
        yield f"components: {len(rows)} rows, more than 5"
    for place, row in enumerate(rows):
        path = f"components[{place}]"
        if row.get("type") != ROW:
            yield f"{path} is no action row; this audit knows no other layout"
            continue
        children = row.get("components") or []
        yield from _row(path, children)
        for column, child in enumerate(children):
            yield from _child(f"{path}[{column}]", child, hosts)
    yield from _custom_ids(child for row in rows for child in row.get("components") or [])


def modal(data: Mapping[str, Any]) -> Iterator[str]:
    """Find what Discord would refuse in a modal."""
    yield from text("title", data.get("title"), 45)
    yield from _custom_id("custom_id", data.get("custom_id"))
    tops = data.get("components") or []
    if not 1 <= len(tops) <= 5:
        yield f"components: {len(tops)}, not 1 to 5"
    inputs: list[tuple[str, Component]] = []
    for place, top in enumerate(tops):
        path = f"components[{place}]"
        match top.get("type"):
            case 1:  # action row
                children = top.get("components") or []
                if len(children) != 1:
                    yield f"{path} has {len(children)} inputs, not 1"
                for child in children:
                    yield from text(f"{path}.label", child.get("label"), 45)
                inputs.extend((path, child) for child in children)
            case 18:  # label
                yield from text(f"{path}.label", top.get("label"), 45)
                yield from optional_text(f"{path}.description", top.get("description"), 100)
                inputs.append((path, top.get("component") or {}))
            case 10:  # text display
                yield from text(f"{path}.content", top.get("content"), 4000)
            case other:
                yield f"{path} has type {other}, which stands in no modal"
    for path, each in inputs:
        yield from _input(path, each)
    yield from _custom_ids(each for _, each in inputs)


def choices(data: Mapping[str, Any]) -> Iterator[str]:
    """Find what Discord would refuse in the choices of an autocomplete."""
    offered = data.get("choices") or []
    if len(offered) > 25:
        yield f"choices: {len(offered)}, more than 25"
    for place, choice in enumerate(offered):
        yield from choice_rules(f"choices[{place}]", choice)


def choice_rules(path: str, choice: Mapping[str, Any]) -> Iterator[str]:
    """Find what Discord would refuse in one choice, of an autocomplete or of an option."""
    yield from text(f"{path}.name", choice.get("name"), 100)
    value = choice.get("value")
    if isinstance(value, str):
        yield from text(f"{path}.value", value, 100)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield f"{path}.value is neither text nor number"


def _row(path: str, children: Sequence[Component]) -> Iterator[str]:
    kinds = [child.get("type") for child in children]
    if not children:
        yield f"{path} is an empty row"
    elif any(kind in _SELECTS for kind in kinds) and len(children) > 1:
        yield f"{path} has a select menu beside something else"
    elif len(children) > 5:
        yield f"{path} has {len(children)} buttons, more than 5"


def _child(path: str, child: Component, hosts: Collection[str]) -> Iterator[str]:
    if child.get("type") == BUTTON:
        yield from _button(path, child, hosts)
    elif child.get("type") in _SELECTS:
        yield from _select(path, child)
    else:
        yield f"{path} is neither button nor select menu"


def _button(path: str, button: Component, hosts: Collection[str]) -> Iterator[str]:
    if not (button.get("label") or "").strip() and not button.get("emoji"):
        yield f"{path} has neither label nor emoji"
    yield from text(f"{path}.label", button.get("label") or "", 80, may_be_empty=True)
    if button.get("style") not in _STYLES:
        yield f"{path}.style is no style of a button"
    if button.get("style") == _LINK_STYLE:
        yield from address(f"{path}.url", button.get("url"), hosts, most=512)
        if button.get("custom_id") is not None:
            yield f"{path} is a link and has a custom_id"
        return
    yield from _custom_id(f"{path}.custom_id", button.get("custom_id"))
    if button.get("url") is not None:
        yield f"{path} has an address and is no link"


def _select(path: str, select: Component) -> Iterator[str]:
    yield from _custom_id(f"{path}.custom_id", select.get("custom_id"))
    yield from optional_text(f"{path}.placeholder", select.get("placeholder"), 150)
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not 0 <= least <= 25 or not 1 <= most <= 25 or least > most:
        yield f"{path} takes {least} to {most} values"
    if select.get("type") != SELECT:
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        yield f"{path}.options: {len(options)}, not 1 to 25"
    if max(least, most) > len(options):
        yield f"{path} takes more values than it has options"
    if sum(bool(option.get("default")) for option in options) > most:
        yield f"{path} has more defaults than it takes values"
    for place, option in enumerate(options):
        for name in ("label", "value"):
            yield from text(f"{path}.options[{place}].{name}", option.get(name), 100)
        yield from optional_text(f"{path}.options[{place}].description", option.get("description"), 100)
    for value, times in Counter(option.get("value") for option in options).items():
        if times > 1:
            yield f"{path}.options have the value {value!r} {times} times"


def _input(path: str, each: Component) -> Iterator[str]:
    if each.get("type") in _SELECTS:
        yield from _select(path, each)
        return
    if each.get("type") != INPUT:
        yield f"{path} is neither text input nor select menu"
        return
    yield from _custom_id(f"{path}.custom_id", each.get("custom_id"))
    yield from optional_text(f"{path}.placeholder", each.get("placeholder"), 100)
    least, most = each.get("min_length") or 0, each.get("max_length") or 4000
    if not 0 <= least <= most <= 4000:
        yield f"{path} takes {least} to {most} characters"
    yield from text(f"{path}.value", each.get("value") or "", most, may_be_empty=True)


def _custom_id(path: str, value: Any) -> Iterator[str]:
    yield from text(path, value, 100)
    if isinstance(value, str) and not value.isascii():
        yield f"{path} is not ASCII"


def _custom_ids(children: Iterator[Component]) -> Iterator[str]:
    for value, times in Counter(child.get("custom_id") for child in children).items():
        if value is not None and times > 1:
            yield f"custom_id {value!r} is there {times} times"
