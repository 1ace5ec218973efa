"""What every entry point says of itself: which capability it needs, or why it needs none."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

import discord
from discord import app_commands

from bot.domain.access import Capability

_DECLARATION = "__desk_needs__"

_T = TypeVar("_T", bound=Callable[..., Any])

AnyCommand: TypeAlias = "app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group"


class NotDeclared(Exception):
    """An entry point does not say what it needs, and so is not registered."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Any one of ``capabilities`` opens the entry; where there are none, ``open_because`` says why everybody may.

    ``suggesting`` are the options whose suggestions are made under the same rule. The services decide again, and
    finer, at the moment of the deed: this is what an entry promises, not what protects it.
    """

    capabilities: tuple[Capability, ...]
    open_because: str = ""
    suggesting: tuple[str, ...] = ()


def requires(*capabilities: Capability, suggesting: Sequence[str] = ()) -> Callable[[_T], _T]:
    """Declare, on a command's callback or a component's class, that one of ``capabilities`` is needed."""
    if not capabilities:
        raise ValueError("name a capability, or say public")
    return _declaring(Requirement(capabilities, suggesting=tuple(suggesting)))


def public(because: str, *, suggesting: Sequence[str] = ()) -> Callable[[_T], _T]:
    """Declare that no capability is needed, and why that is right."""
    if not because:
        raise ValueError("say why everybody may")
    return _declaring(Requirement((), because, tuple(suggesting)))


def declared(entry: object) -> Requirement:
    """Return what a callback or a class declares itself; NotDeclared where it does not, whatever its base says."""
    found = vars(entry).get(_DECLARATION)
    if not isinstance(found, Requirement):
        raise NotDeclared(getattr(entry, "__qualname__", repr(entry)))
    return found


def commands_in(
    command: AnyCommand,
) -> Iterator["app_commands.Command[Any, ..., Any] | app_commands.ContextMenu"]:
    """Go through what can be invoked: the command itself, or everything in the group."""
    if isinstance(command, app_commands.Group):
        for each in command.walk_commands():
            if not isinstance(each, app_commands.Group):
                yield each
    else:
        yield command


def check_declared(command: AnyCommand) -> None:
    """Raise NotDeclared unless everything that can be invoked, and everything it suggests, is declared."""
    for each in commands_in(command):
        said = declared(each.callback)
        suggests = (
            {option.name for option in each.parameters if option.autocomplete}
            if isinstance(each, app_commands.Command)
            else set()
        )
        if suggests != set(said.suggesting):
            raise NotDeclared(f"{each.qualified_name}: suggestions for {', '.join(sorted(suggests)) or 'nothing'}")


class SkinDeskModal(discord.ui.Modal):
    """A modal that declares what it needs, and that any process can take in, whichever one opened it.

    discord.py keeps an open modal in memory alone, and one sent in after a restart would go unanswered. So it is told
    to keep none: the client finds the class by ``template``, rebuilds the modal from its custom id, and hands it the
    values. Every input needs a custom id of its own that stays the same.
    """

    template: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, template: str) -> None:
        cls.template = re.compile(template)
        super().__init_subclass__()

    def __init__(self, *, title: str, custom_id: str) -> None:
        declared(type(self))
        if self.template.fullmatch(custom_id) is None:
            raise ValueError(custom_id)
        super().__init__(title=title, custom_id=custom_id)
        self.stop()  # discord.py keeps no modal that is finished

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the modal that was sent in."""
        raise NotImplementedError

    async def submitted(self, interaction: "discord.Interaction[discord.Client]", values: Mapping[str, str]) -> None:
        """Do what the form is for; ``values`` are what was typed, by the custom ids of the inputs."""
        raise NotImplementedError


def _declaring(what: Requirement) -> Callable[[_T], _T]:
    def declare(entry: _T) -> _T:
        setattr(entry, _DECLARATION, what)
        return entry

    return declare
