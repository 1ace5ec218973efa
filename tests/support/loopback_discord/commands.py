"""The application commands the bot has synced, and the data a client sends with commands and modals."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tests.support.loopback_discord.guilds import Channel, Guild, Member, Role
from tests.support.loopback_discord.messages import nested
from tests.support.loopback_discord.wire import Json, new_id

_SLASH, _SUBCOMMAND = 1, 1
_TEXT_INPUT = 4


class CommandBook:
    """The commands of one application: global ones, and those of single guilds.

    The payload audit checks Discord's limits on them (tests/support/command_rules.py).
    """

    def __init__(self, application_id: int) -> None:
        self._application_id = application_id
        self._by_scope: dict[int | None, list[Json]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_scope.values()))

    def listed(self, guild_id: int | None = None) -> list[Json]:
        """Return the commands of a guild, or the global ones."""
        return self._by_scope.get(guild_id, [])

    def names(self) -> list[str]:
        """Return the names of the global commands, with their sub-commands."""
        return sorted(name for command in self.listed() for name in _full_names(command))

    def sync(self, body: list[Json], guild_id: int | None = None) -> list[Json]:
        """Replace the commands of a scope; a command keeps its id."""
        kinds = [(command.get("type", _SLASH), command["name"]) for command in body]
        known = {(command["type"], command["name"]): command["id"] for command in self.listed(guild_id)}
        scope = {} if guild_id is None else {"guild_id": str(guild_id)}
        self._by_scope[guild_id] = [
            command
            | {
                "id": known.get(kind) or str(new_id()),
                "type": kind[0],
                "application_id": str(self._application_id),
                "version": str(new_id()),
                "description": command.get("description", ""),
                "default_member_permissions": command.get("default_member_permissions"),
            }
            | scope
            for kind, command in zip(kinds, body, strict=True)
        ]
        return self._by_scope[guild_id]

    def find(self, guild: Guild, name: str) -> Json:
        """Return a slash command: the guild's own before a global one."""
        for command in (*self.listed(guild.id), *self.listed()):
            if command["name"] == name and command["type"] == _SLASH:
                return command
        raise LookupError(name, self.names())


def slash_data(book: CommandBook, guild: Guild, path: str, values: Json, focused: str | None = None) -> Json:
    """Return the data of a slash command ("access grant") or, with ``focused``, of its autocompletion.

    Values that a client would not send raise LookupError or ValueError.
    """
    name, *subcommands = path.split(" ")
    command = book.find(guild, name)
    definitions = command.get("options", [])
    for subcommand in subcommands:
        step = next((option for option in definitions if option["name"] == subcommand), None)
        if step is None or step["type"] != _SUBCOMMAND:
            raise LookupError(path, [option["name"] for option in definitions])
        definitions = step.get("options", [])
    resolved: Json = {}
    options = list(_options(definitions, dict(values), guild, resolved, focused))
    for subcommand in reversed(subcommands):
        options = [{"name": subcommand, "type": _SUBCOMMAND, "options": options}]
    data: Json = {"id": command["id"], "name": name, "type": _SLASH, "options": options}
    if resolved:
        data["resolved"] = resolved
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return data


def filled(component: Json, values: dict[str, str]) -> Json:
    """Return a modal's row or label as a client sends it back, and remove the used ``values``."""
    label = component.get("label")
    inputs = [_filled_input(found, label, values) for found in nested([component]) if "custom_id" in found]
    if "component" in component:
        return {"type": component["type"], "component": inputs[0]}
    return {"type": component["type"], "components": inputs}


def _filled_input(field: Json, label: str | None, values: dict[str, str]) -> Json:
    value = ""
    for key in (field["custom_id"], field.get("label") or label or ""):
        with suppress(KeyError):
            value = values.pop(key)
    if (not value and field.get("required", True)) or len(value) > field.get("max_length", len(value)):
        raise ValueError(field["custom_id"], value)
    return {"type": _TEXT_INPUT, "custom_id": field["custom_id"], "value": value}


def _options(
    definitions: list[Json], values: Json, guild: Guild, resolved: Json, focused: str | None
) -> Iterator[Json]:
    for option in definitions:
        name, kind = option["name"], option["type"]
        if name not in values:
            if option.get("required", False) and focused is None:
                raise ValueError("a required option is missing", name)
            continue
        value = values.pop(name)
        if name == focused:
            yield {"name": name, "type": kind, "value": str(value), "focused": True}
            continue
        if (choices := option.get("choices")) and value not in [choice["value"] for choice in choices]:
            raise ValueError("not one of the choices", name, value)
        yield {"name": name, "type": kind, "value": _resolve(value, guild, resolved)}
    if values:
        raise ValueError("no such option", list(values))


def _resolve(value: Any, guild: Guild, resolved: Json) -> Any:
    """Return an option's value on the wire; members, roles and channels go by id and come resolved."""
    if not isinstance(value, Member | Role | Channel):
        return value
    key = str(value.id)
    if isinstance(value, Member):
        bits = str(guild.permissions(value, Channel("anywhere")))
        resolved.setdefault("users", {})[key] = value.user.payload()
        resolved.setdefault("members", {})[key] = value.payload() | {"permissions": bits}
    elif isinstance(value, Role):
        resolved.setdefault("roles", {})[key] = value.payload()
    else:
        bits = str(guild.permissions(guild.bot, value))
        resolved.setdefault("channels", {})[key] = value.payload() | {"permissions": bits}
    return key


def _full_names(command: Json) -> Iterator[str]:
    subcommands = [option for option in command.get("options", []) if option["type"] == _SUBCOMMAND]
    if not subcommands:
        yield command["name"]
    for option in subcommands:
        yield f"{command['name']} {option['name']}"
