"""The findings of a check, for a terminal and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.config import SECRET_FILES, VARIABLES

if TYPE_CHECKING:
    from bot.config_loading import Problem


class Level(StrEnum):
    """How serious a finding is; the words of the output."""

    OK = "ok"
    WARNING = "warning"
    """It works, but an administrator should know."""
    PROBLEM = "problem"
    """A start fails, or a part that is set up does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. ``what`` and ``fix`` never contain a secret.

    ``id`` is stable between versions, ``key`` is the setting concerned. ``is_unreachable``: a service does not answer,
    and the configuration may be right.
    """

    id: str
    level: Level
    what: str
    fix: str | None = None
    key: str | None = None
    environment_variable: str | None = None
    is_unreachable: bool = False

    def line(self) -> str:
        """Return the finding as one line."""
        setting = f"{self.key} ({self.environment_variable})" if self.environment_variable else self.key
        name = f"{self.id}: " if setting is None else f"{self.id}: {setting}: "
        return f"{self.level} {name}{self.what}" + (f". Fix: {self.fix}" if self.fix else "")

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        keys = ("id", "level", "what", "fix", "key", "environment_variable")
        return {key: getattr(self, key) for key in keys}


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels that a server has set. ``is_first``: it is served if the configuration names no server."""

    guild_id: int
    approvals: int | None
    audit: int | None
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class DatabaseChecked:
    """The findings about the database, and the facts in it that other checks need."""

    findings: tuple[Finding, ...]
    is_running: bool = False
    channels: tuple[Channels, ...] = ()


def ok(name: str, what: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(name, Level.OK, what)


def warning(name: str, what: str, fix: str, *, key: str | None = None) -> Finding:
    """Return a finding that does not keep SkinDesk from working."""
    return Finding(name, Level.WARNING, what, fix, key)


def problem(name: str, what: str, fix: str, *, key: str | None = None) -> Finding:
    """Return a finding that has to be fixed here."""
    return Finding(name, Level.PROBLEM, what, fix, key)


def unreachable(name: str, what: str, fix: str, *, key: str | None = None) -> Finding:
    """Return the finding that a service does not answer."""
    return Finding(name, Level.PROBLEM, what, fix, key, is_unreachable=True)


def failed(name: str, error: Exception) -> Finding:
    """Return the finding that a check raised an exception, without its message: that could contain a secret."""
    fix = "look at its settings; if they are right, report this line"
    return problem(name, f"SkinDesk failed to check it ({type(error).__name__})", fix)


def of_configuration(wrong: Problem) -> Finding:
    """Return the finding for a mistake in the configuration."""
    variable = wrong.environment_variable
    if wrong.is_of_file:
        fix = "name a file that exists, can be read, and is TOML"
    elif variable is None:
        fix = "change it in the file"
    elif wrong.key in SECRET_FILES:
        fix = "name a file that SkinDesk can read and that holds the secret, and nothing else"
    elif wrong.key in VARIABLES:
        fix = f"change it in the file, or set {variable}"
    else:
        fix = f"unset {variable}, or correct its name"
    return Finding("configuration", Level.PROBLEM, wrong.message, fix, wrong.key, variable)
