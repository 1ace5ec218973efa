"""What a check has found: in words for a terminal, and as an object for programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.config import VARIABLES
from bot.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.config_loading import Problem

FORM = 1
"""The version of the object: it grows by new keys; another number says that an old one has changed."""


class Level(StrEnum):
    """How bad it is; the words of the output."""

    OK = "ok"
    WARNING = "warning"
    """It works, but somebody should know."""
    PROBLEM = "problem"
    """A start fails, or something that was set up does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``what`` and ``fix`` never hold a secret.

    ``id`` names the thing and stays the same from version to version; ``key`` is the setting it hangs on, where it
    does. ``is_unreachable``: nothing may be wrong here, only somebody else does not answer.
    """

    id: str
    level: Level
    what: str
    fix: str | None = None
    key: str | None = None
    environment_variable: str | None = None
    is_unreachable: bool = False

    def line(self) -> str:
        """Return it as one line."""
        setting = f"{self.key} ({self.environment_variable})" if self.environment_variable else self.key
        named = f"{self.id}: " if setting is None else f"{self.id}: {setting}: "
        return f"{self.level} {named}{self.what}" + (f". Fix: {self.fix}" if self.fix else "")

    def facts(self) -> dict[str, Any]:
        """Return it as the object has it."""
        return {
            "id": self.id,
            "level": self.level.value,
            "what": self.what,
            "fix": self.fix,
            "key": self.key,
            "environment_variable": self.environment_variable,
        }


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels that a guild has set."""

    guild_id: int
    approvals: int | None
    audit: int | None


@dataclass(frozen=True, slots=True)
class DatabaseChecked:
    """What was found, and what other checks need of it."""

    findings: tuple[Finding, ...]
    is_running: bool = False
    channels: tuple[Channels, ...] = ()


def ok(name: str, what: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(name, Level.OK, what)


def warning(name: str, what: str, fix: str, *, key: str | None = None) -> Finding:
    """Return that something should be looked at."""
    return Finding(name, Level.WARNING, what, fix, key)


def problem(name: str, what: str, fix: str, *, key: str | None = None) -> Finding:
    """Return that something is wrong."""
    return Finding(name, Level.PROBLEM, what, fix, key)


def unreachable(name: str, what: str, fix: str, *, key: str | None = None) -> Finding:
    """Return that somebody does not answer."""
    return Finding(name, Level.PROBLEM, what, fix, key, is_unreachable=True)


def failed(name: str, error: Exception) -> Finding:
    """Return that SkinDesk itself failed to look at something. What it says of that could hold anything."""
    fix = "look at its settings; if nothing is wrong with them, report this line"
    return problem(name, f"SkinDesk failed to look at it ({type(error).__name__})", fix)


def of_configuration(wrong: Problem) -> Finding:
    """Return a mistake in the configuration."""
    variable = wrong.environment_variable
    if wrong.is_of_file:
        fix = "name a file that is there, readable, and TOML"
    elif variable is None:
        fix = "change it in the file"
    elif wrong.key in VARIABLES:
        fix = f"change it in the file, or set {variable}"
    else:
        fix = f"unset {variable}, or correct its name"
    return Finding("configuration", Level.PROBLEM, wrong.message, fix, wrong.key, variable)


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """Return what all of it comes to: what is wrong here counts before what does not answer."""
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    if any(not finding.is_unreachable for finding in problems):
        return ExitCode.CONFIG
    return ExitCode.UNAVAILABLE if problems else ExitCode.OK


def as_object(findings: Iterable[Finding], *, skindesk: str) -> dict[str, Any]:
    """Return everything as one object; ``skindesk`` is the program's version."""
    listed = list(findings)
    code = exit_code(listed)
    return {
        "version": FORM,
        "skindesk": skindesk,
        "ok": code is ExitCode.OK,
        "exit_code": int(code),
        "findings": [finding.facts() for finding in listed],
    }
