"""Reads the settings from a TOML file and the environment, and reports all mistakes together."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_origin

from pydantic import ValidationError

from bot.config import INVENTORY_PROVIDERS, PREFIX, SECRET_FILES, SECRETS, TYPES, VARIABLES, Database, Settings
from bot.domain.failures import ProviderName
from bot.domain.shards import ShardGroup
from bot.secret_files import read_secret

DEFAULT_FILE: Final = Path("config.toml")
_MOST_BYTES: Final = 2**20
_PIPED: Final[dict[Path, bytes]] = {}
_NAMES: Final = {**VARIABLES, **SECRET_FILES}
_KEYS: Final = {variable: key for key, variable in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration. ``message`` never quotes a value: it could be a secret.

    ``environment_variable`` is None for a file, a table and an unknown key of the file.
    """

    key: str
    environment_variable: str | None
    message: str
    is_of_file: bool = False

    def __str__(self) -> str:
        name = f"{self.key} ({self.environment_variable})" if self.environment_variable else self.key
        return f"{name}: {self.message}"


class ConfigurationInvalid(Exception):
    """The configuration cannot be used; ``problems`` are all of its mistakes."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the file and the environment, which wins. Raise ConfigurationInvalid with all mistakes.

    A secret may be in a file of its own: ``token_file`` or ``SKINDESK_DISCORD__TOKEN_FILE`` names that of ``token``.
    If ``path`` is None, read ``config.toml`` in the working directory if it exists.
    """
    _, settings, problems = _load(path, environ)
    if settings is None or problems:
        raise ConfigurationInvalid(tuple(problems))
    return settings


def load_database(path: Path | None, environ: Mapping[str, str], *, read_only: bool = False) -> Database:
    """Return only the database's table, for commands that need no token. Raise ConfigurationInvalid if it is in doubt.

    Wrong values of other keys are ignored. An unknown key is refused, because it may be a misspelt ``database.path``,
    unless the caller opens the database ``read_only``.
    """
    values, _, problems = _load(path, environ)
    doubts = tuple(
        problem
        for problem in problems
        if problem.is_of_file or problem.key.partition(".")[0] == "database" or not (read_only or problem.key in _NAMES)
    )
    if doubts:
        raise ConfigurationInvalid(doubts)
    return Database.model_validate(values.get("database", {}))


def _load(path: Path | None, environ: Mapping[str, str]) -> tuple[dict[str, Any], Settings | None, list[Problem]]:
    """Return the values as they were written, the settings if they are valid, and all mistakes."""
    values, unreadable = _read(path)
    given = {_KEYS[name]: text for name, text in environ.items() if name in _KEYS}
    _add_environment(values, given)
    files, problems = _add_secrets(values)
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False):
            problem = _problem(dict(error))
            if problem.key not in files:
                problems.append(problem)
            elif file := files[problem.key]:
                key, message = f"{problem.key}_file", f"{printable(file)}: {problem.message}"
                problems.append(Problem(key, SECRET_FILES[key], message))
    if unreadable is None:
        problems += [*_default_provider_problems(values), *_shards_problems(values)]
    else:  # the file may set any key, so only the environment's own mistakes are known
        problems = [unreadable, *(problem for problem in problems if problem.key in given)]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in _KEYS:
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            problems.append(Problem(printable(key), printable(name), _unknown(key)))
    return values, settings, problems


def _read(path: Path | None) -> tuple[dict[str, Any], Problem | None]:
    """Return the file's tables, or none and the reason why the file cannot be read."""
    file = path or DEFAULT_FILE
    try:
        return tomllib.loads(_content(file).decode("utf-8-sig")), None
    except FileNotFoundError:
        if path is None:
            return {}, None
        message = "No such file"
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        message = "The file is not UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        message = f"The file is not TOML: {printable(str(error))}"
    except _NotAFile as error:
        message = f"The file cannot be read: {error}"
    except (ValueError, RecursionError):  # a path with a NUL, a number of thousands of digits, deep brackets
        message = "The file cannot be read as TOML"
    return {}, Problem(printable(str(file)), None, message, is_of_file=True)


class _NotAFile(ValueError):
    """The path leads to a pipe that has no writer, or to something without an end."""


def _content(file: Path) -> bytes:
    """Return what is in a file, or came through a pipe: ``--config <(…)``."""
    if file in _PIPED:  # it is read once, and wanted again, by skindesk check and by a reload
        return _PIPED[file]
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # else a pipe without a writer would be waited for
    with os.fdopen(descriptor, "rb") as opened:
        os.set_blocking(descriptor, True)
        content = opened.read(_MOST_BYTES + 1)
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    if len(content) > _MOST_BYTES:
        raise _NotAFile(f"it is larger than {_MOST_BYTES} bytes")
    if is_pipe and not content:
        raise _NotAFile("it is a pipe, and nothing writes to it")
    if is_pipe:
        _PIPED[file] = content
    return content


def _add_environment(values: dict[str, Any], given: Mapping[str, str]) -> None:
    """Put the environment's values into the file's tables."""
    values.setdefault("discord", {})
    for key in SECRETS:  # a secret and its file are one setting, so either one replaces both
        pair = {key, f"{key}_file"}
        if not pair.isdisjoint(given) and (table := _table(values, key)) is not None:
            for each in pair:
                table.pop(_name(each), None)
    for key, text in given.items():
        table = _table(values, key)
        if table is not None:  # else the file has a value in the table's place, which pydantic refuses
            table[_name(key)] = _split(text) if get_origin(TYPES.get(key)) is tuple else text.strip()


def _table(values: dict[str, Any], key: str) -> dict[str, Any] | None:
    """Return the table of a dotted key, made if it is missing; None if something else is in its place."""
    table: Any = values
    for step in key.split(".")[:-1]:
        table = table.setdefault(step, {}) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _name(key: str) -> str:
    return key.rpartition(".")[2]


def _add_secrets(values: dict[str, Any]) -> tuple[dict[str, str | None], list[Problem]]:
    """Replace the paths of files by the secrets in them. Return the paths by the secrets' keys, and the mistakes.

    A secret that cannot be read has no path, and counts as set in all other checks.
    """
    files: dict[str, str | None] = {}
    problems: list[Problem] = []
    for file_key, variable in SECRET_FILES.items():
        key = file_key.removesuffix("_file")
        name, table = _name(key), _table(values, key) or {}
        file = table.pop(_name(file_key), "")
        if file == "":
            continue
        try:
            table[name] = _secret(file, besides=_value(values, key), name=name)
            files[key] = str(file)
        except ValueError as invalid:
            if not _value(values, key):
                table[name], files[key] = "unreadable", None
            problems.append(Problem(file_key, variable, printable(str(invalid))))
    return files, problems


def _secret(file: object, *, besides: object, name: str) -> str:
    if besides:
        raise ValueError(f"Input should be empty if {name} is set: choose one of the two")
    if not isinstance(file, str) or "\0" in file:
        raise ValueError("Input should be the path of a file")
    return read_secret(Path(file.strip()))


def _split(text: str) -> list[str]:
    """Split a list of numbers: JSON, where they may be strings, or separated by commas."""
    bracketed = re.fullmatch(r"\s*\[(.*)\]\s*", text, re.DOTALL)
    parts = (bracketed[1] if bracketed else text).split(",")
    return [part.strip().strip('"') for part in parts if part.strip()]


def _default_provider_problems(values: Mapping[str, Any]) -> list[Problem]:
    """Refuse a default provider that was set and is off; by the raw values, to report it with all other mistakes.

    The default itself may be written out while no inventory provider is on: no other value would be right.
    """
    key = "inventory.default_provider"
    default = _value(values, key)
    on = [
        name
        for name in INVENTORY_PROVIDERS
        if any(_value(values, secret) for secret in SECRETS if secret.startswith(f"providers.{name}."))
    ]
    if default not in INVENTORY_PROVIDERS or default in on or (default == ProviderName.ASSETPAY and not on):
        return []
    instead = f"name one that is on ({', '.join(on)})" if on else "leave it out"
    return [Problem(key, VARIABLES[key], f"{default} is off: {instead}, or give {default} its credentials")]


def _shards_problems(values: Mapping[str, Any]) -> list[Problem]:
    """Refuse a part of the shards on SQLite: the others' process would have another database."""
    key = "discord.shards"
    try:
        is_all = ShardGroup.parse(str(_value(values, key))).is_all
    except ValueError:
        return []
    if is_all or _value(values, "database.url"):
        return []
    message = "Input should be empty or all shards unless database.url is set: several processes need PostgreSQL"
    return [Problem(key, VARIABLES[key], message)]


def _value(values: Mapping[str, Any], key: str) -> object:
    value: Any = values
    for step in key.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value.strip() if isinstance(value, str) else value


def _problem(error: Mapping[str, Any]) -> Problem:
    """Make a problem of one of pydantic's errors."""
    key = ".".join(step for step in error["loc"] if isinstance(step, str))
    if error["type"] == "extra_forbidden":
        return Problem(printable(key), None, _unknown(key))
    position = "".join(f"item {step + 1}: " for step in error["loc"] if isinstance(step, int))
    return Problem(key, VARIABLES.get(key), position + error["msg"].removeprefix("Value error, "))


def _unknown(key: str) -> str:
    """Return the message for an unknown key, with the nearest known key or table."""
    from difflib import get_close_matches  # noqa: PLC0415 -- needed for a mistake only

    tables = ("providers", *dict.fromkeys(known.rpartition(".")[0] for known in VARIABLES))
    (nearest,) = get_close_matches(key[:200], [*_NAMES, *tables], n=1, cutoff=0.0)
    return f"Unknown key; the nearest is {nearest} ({_NAMES.get(nearest, 'a table')})"


def printable(text: str, *, at_most: int = 200) -> str:
    """Escape and cut text from outside, so that it stays on one line of a terminal."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:at_most])
