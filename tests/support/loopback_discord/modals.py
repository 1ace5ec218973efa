"""How a client fills in a modal."""

from contextlib import suppress

from tests.support.loopback_discord.messages import nested
from tests.support.loopback_discord.wire import Json

_TEXT_INPUT = 4
_MAX_LENGTH = 4000


def filled(component: Json, values: dict[str, str]) -> Json:
    """Return a modal's row or label as a client sends it back, taking out of ``values`` what it used."""
    label = component.get("label")
    inputs = [_filled_input(found, label, values) for found in nested([component]) if "custom_id" in found]
    if "component" in component:
        return {"type": component["type"], "component": inputs[0]}
    return {"type": component["type"], "components": inputs}


def _filled_input(field: Json, label: str | None, values: dict[str, str]) -> Json:
    if field["type"] != _TEXT_INPUT:
        raise NotImplementedError(field["type"])
    value = ""
    for key in (field["custom_id"], field.get("label") or label or ""):
        with suppress(KeyError):
            value = values.pop(key)
    low, high = field.get("min_length") or int(field.get("required", True)), field.get("max_length") or _MAX_LENGTH
    if (value or field.get("required", True)) and not low <= len(value) <= high:
        raise ValueError("a client refuses a text of this length", field["custom_id"])
    return {"type": _TEXT_INPUT, "custom_id": field["custom_id"], "value": value}
