"""Declares which capability each command, component and modal requires."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from discord import app_commands

from bot.domain.access import Capability

_REQUIREMENT = "__skindesk_requirement__"

_T = TypeVar("_T", bound=Callable[..., Any])

AnyCommand: TypeAlias = "app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group"


class NotDeclared(Exception):
    """An entry point declares no requirement, so it is not registered."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Any one of ``capabilities`` is enough; if there are none, ``public_because`` says why.

    ``suggesting`` names the options whose suggestions follow the same rule. The requirement protects nothing by
    itself: the services check rights when they act. Tests hold every entry point to its requirement.
    """

    capabilities: tuple[Capability, ...]
    public_because: str = ""
    suggesting: tuple[str, ...] = ()


def requires(*capabilities: Capability, suggesting: Sequence[str] = ()) -> Callable[[_T], _T]:
    """Declare that a command's callback or a component's class requires one of ``capabilities``."""
    if not capabilities:
        raise ValueError("name a capability, or use public")
    return _declare(Requirement(capabilities, suggesting=tuple(suggesting)))


def public(because: str, *, suggesting: Sequence[str] = ()) -> Callable[[_T], _T]:
    """Declare that no capability is required, and why."""
    if not because:
        raise ValueError("say why no capability is required")
    return _declare(Requirement((), because, tuple(suggesting)))


def declared(entry: object) -> Requirement:
    """Return the requirement of a callback or class; NotDeclared if there is none, even if a base class has one."""
    found = vars(entry).get(_REQUIREMENT)
    if not isinstance(found, Requirement):
        raise NotDeclared(getattr(entry, "__qualname__", repr(entry)))
    return found


def commands_in(
    command: AnyCommand,
) -> Iterator["app_commands.Command[Any, ..., Any] | app_commands.ContextMenu"]:
    """Yield the command itself, or every command in the group."""
    if isinstance(command, app_commands.Group):
        for each in command.walk_commands():
            if not isinstance(each, app_commands.Group):
                yield each
    else:
        yield command


def check_declared(command: AnyCommand) -> None:
    """Raise NotDeclared unless all commands and their suggestions are declared."""
    for each in commands_in(command):
        requirement = declared(each.callback)
        suggests = (
            {option.name for option in each.parameters if option.autocomplete}
            if isinstance(each, app_commands.Command)
            else set()
        )
        if suggests != set(requirement.suggesting):
            raise NotDeclared(f"{each.qualified_name}: suggestions for {', '.join(sorted(suggests)) or 'nothing'}")


def _declare(requirement: Requirement) -> Callable[[_T], _T]:
    def declare(entry: _T) -> _T:
        setattr(entry, _REQUIREMENT, requirement)
        return entry

    return declare
