"""The application commands the bot has synced: Discord's limits on them, and the choosing of options by a client."""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from tests.support.loopback_discord.guilds import Channel, Guild, Member, Role
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, Refusal, Refused, new_id


class CommandKind(IntEnum):
    """Discord's command types."""

    SLASH = 1
    USER = 2
    MESSAGE = 3


class OptionKind(IntEnum):
    """Discord's option types, as far as they exist here."""

    SUBCOMMAND = 1
    GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10


_PLAIN: dict[int, tuple[type, ...]] = {
    OptionKind.STRING: (str,),
    OptionKind.INTEGER: (int,),
    OptionKind.BOOLEAN: (bool,),
    OptionKind.NUMBER: (int, float),
}
_RESOLVED: dict[int, tuple[type, ...]] = {
    OptionKind.USER: (Member,),
    OptionKind.CHANNEL: (Channel,),
    OptionKind.ROLE: (Role,),
    OptionKind.MENTIONABLE: (Member, Role),
}
_GUILD_INSTALL = 0
_NESTING = (OptionKind.SUBCOMMAND, OptionKind.GROUP)
_SLASH_NAME = re.compile(r"[-\w]{1,32}")
_MAX_COMMANDS, _MAX_OPTIONS, _MAX_CHOICES = 100, 25, 25
_MAX_NAME, _MAX_DESCRIPTION, _MAX_CHARACTERS = 32, 100, 8000


class CommandBook:
    """The commands of one application: global ones, and those of single guilds."""

    def __init__(self, application_id: int) -> None:
        self._application_id = application_id
        self._by_scope: dict[int | None, list[Json]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_scope.values()))

    def listed(self, guild_id: int | None = None) -> list[Json]:
        """Return the commands of a guild, or the global ones."""
        return self._by_scope.get(guild_id, [])

    def names(self, guild_id: int | None = None) -> list[str]:
        """Return the names a user of the guild finds, sub-commands spelled out."""
        return sorted(name for command in self.listed(guild_id) for name in _full_names(command))

    def sync(self, body: Any, guild_id: int | None = None) -> list[Json]:
        """Replace the commands of a scope; a command keeps its id. Refused where one breaks a limit of Discord."""
        errors: Json = {
            str(number): problems for number, command in enumerate(body) if (problems := dict(_faults(command)))
        }
        kinds = [(command.get("type", CommandKind.SLASH), command["name"]) for command in body]
        if len(set(kinds)) < len(kinds) or len(kinds) > _MAX_COMMANDS:
            errors = {"_errors": [{"code": "APPLICATION_COMMANDS_DUPLICATE_NAME", "message": "twice, or too many"}]}
        if errors:
            raise Refused(Refusal.INVALID_BODY, errors)
        known = {(command["type"], command["name"]): command["id"] for command in self.listed(guild_id)}
        self._by_scope[guild_id] = [
            command
            | {
                "id": known.get(kind) or str(new_id()),
                "type": kind[0],
                "application_id": str(self._application_id),
                "version": str(new_id()),
                "description": command.get("description", ""),
                "default_member_permissions": command.get("default_member_permissions"),
                "integration_types": command.get("integration_types") or [_GUILD_INSTALL],
            }
            | ({} if guild_id is None else {"guild_id": str(guild_id)})
            for kind, command in zip(kinds, body, strict=True)
        ]
        return self._by_scope[guild_id]

    def find(self, guild: Guild, name: str, *, slash: bool = True) -> Json:
        """Return the command a user of ``guild`` means: the guild's own before a global one."""
        for command in (*self.listed(guild.id), *self.listed()):
            if command["name"] == name and slash is (command["type"] == CommandKind.SLASH):
                return command
        raise LookupError(name, self.names(guild.id), self.names())


def slash_data(book: CommandBook, guild: Guild, path: str, chosen: Json, focused: str | None = None) -> Json:
    """Return the data of a slash command or, with ``focused``, of its autocompletion.

    ``path`` is the name with its sub-commands ("access grant"). A client does not send what the command's definition
    forbids, so that is a ValueError here; a focused value and the options left out beside it are taken as they are.
    """
    name, *subcommands = path.split(" ")
    command = book.find(guild, name)
    wanted, kinds = command.get("options", []), []
    for subcommand in subcommands:
        step = next((option for option in wanted if option["name"] == subcommand), None)
        if step is None or step["type"] not in _NESTING:
            raise LookupError(path, [option["name"] for option in wanted])
        kinds.append(step["type"])
        wanted = step.get("options", [])
    resolved: Json = {}
    options = list(_chosen_options(wanted, dict(chosen), guild, resolved, focused))
    for subcommand, kind in zip(reversed(subcommands), reversed(kinds), strict=True):
        options = [{"name": subcommand, "type": kind, "options": options}]
    data: Json = {"id": command["id"], "name": name, "type": CommandKind.SLASH, "options": options}
    if resolved and focused is None:
        data["resolved"] = resolved
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return data


def menu_data(book: CommandBook, guild: Guild, name: str, target: Member | Message) -> Json:
    """Return the data of a context menu command used on ``target``."""
    command = book.find(guild, name, slash=False)
    resolved: Json = {}
    if isinstance(target, Message):
        resolved["messages"] = {str(target.id): target.payload()}
        kind = CommandKind.MESSAGE
    else:
        _resolve(target, guild, resolved)
        kind = CommandKind.USER
    if command["type"] != kind:
        raise ValueError(name, target)
    data: Json = {
        "id": command["id"],
        "name": name,
        "type": kind,
        "target_id": str(target.id),
        "resolved": resolved,
    }
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return data


def _chosen_options(
    wanted: list[Json], chosen: Json, guild: Guild, resolved: Json, focused: str | None
) -> Iterator[Json]:
    for option in wanted:
        name, kind = option["name"], option["type"]
        if kind in _NESTING:
            raise LookupError("a sub-command is missing", name)
        if name not in chosen:
            if option.get("required", False) and focused is None:
                raise ValueError("a required option is missing", name)
            continue
        value = chosen.pop(name)
        if name == focused:
            yield {"name": name, "type": kind, "value": str(value), "focused": True}
            continue
        if kind in _RESOLVED:
            _check_type(name, value, _RESOLVED[kind])
            value = _resolve(value, guild, resolved)
        else:
            _check_value(option, value)
        yield {"name": name, "type": kind, "value": value}
    if chosen:
        raise ValueError("no such option", list(chosen))


def _check_type(name: str, value: Any, types: tuple[type, ...]) -> None:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise TypeError(name, type(value), types)


def _check_value(option: Json, value: Any) -> None:
    _check_type(option["name"], value, _PLAIN[option["type"]])
    choices = option.get("choices")
    if choices and value not in [choice["value"] for choice in choices]:
        raise ValueError("not one of the choices", option["name"], value)
    size, low, high = (
        (len(value), "min_length", "max_length") if isinstance(value, str) else (value, "min_value", "max_value")
    )
    if size < option.get(low, size) or size > option.get(high, size):
        raise ValueError("out of bounds", option["name"])


def _resolve(value: Member | Role | Channel, guild: Guild, resolved: Json) -> str:
    key = str(value.id)
    if isinstance(value, Member):
        resolved.setdefault("users", {})[key] = value.user.payload()
        resolved.setdefault("members", {})[key] = value.payload() | {"permissions": str(_guild_bits(value))}
    elif isinstance(value, Role):
        resolved.setdefault("roles", {})[key] = value.payload()
    else:
        resolved.setdefault("channels", {})[key] = value.payload() | {
            "permissions": str(guild.permissions(guild.bot, value))
        }
    return key


def _guild_bits(member: Member) -> int:
    return member.guild.permissions(member, Channel("anywhere"))


def _full_names(command: Json) -> Iterator[str]:
    nested = [option for option in command.get("options", []) if option["type"] in _NESTING]
    if not nested:
        yield command["name"]
    for option in nested:
        yield from (f"{command['name']} {name}" for name in _full_names(option))


def _faults(command: Json) -> Iterator[tuple[str, Json]]:
    """Find what Discord refuses in a command or an option: pairs of key and error."""
    slash = command.get("type", CommandKind.SLASH) == CommandKind.SLASH
    yield from _text_faults(command, described=slash, slash=slash)
    yield from _option_faults(command.get("options", []))
    if _characters(command) > _MAX_CHARACTERS:
        yield "options", _error("too many characters in all")


def _text_faults(item: Json, *, described: bool = True, slash: bool = True) -> Iterator[tuple[str, Json]]:
    name, description = item["name"], item.get("description", "")
    if slash and (not _SLASH_NAME.fullmatch(name) or name != name.lower()):
        yield "name", _error("not a slash command's name")
    if not 1 <= len(name) <= _MAX_NAME:
        yield "name", _error("length")
    if described and not 1 <= len(description) <= _MAX_DESCRIPTION:
        yield "description", _error("length")


def _option_faults(options: list[Json]) -> Iterator[tuple[str, Json]]:
    names = [option["name"] for option in options]
    required = [option.get("required", False) for option in options]
    if len(options) > _MAX_OPTIONS or len(set(names)) < len(names):
        yield "options", _error("twice, or too many")
    if required != sorted(required, reverse=True):
        yield "options", _error("required options come first")
    for option in options:
        yield from _text_faults(option)
        yield from _choice_faults(option.get("choices") or [])
        yield from _option_faults(option.get("options", []))


def _choice_faults(choices: list[Json]) -> Iterator[tuple[str, Json]]:
    if len(choices) > _MAX_CHOICES:
        yield "choices", _error("too many")
    if any(not 1 <= len(choice["name"]) <= _MAX_DESCRIPTION for choice in choices):
        yield "choices", _error("length of a name")


def _error(message: str) -> Json:
    return {"_errors": [{"code": "LOOPBACK_LIMIT", "message": message}]}


def _characters(item: Json) -> int:
    own = len(item["name"]) + len(item.get("description", ""))
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in item.get("choices") or [])
    return own + choices + sum(_characters(option) for option in item.get("options", []))
