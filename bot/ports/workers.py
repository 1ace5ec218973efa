"""The processes that work on one database, and which of them does what."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol

from bot.domain.shards import ShardGroup

HOUSEKEEPING = "housekeeping"
"""The duty that belongs to no server: it has one leader over all shards."""

ALL_SHARDS = "all"


def duty_of(group: ShardGroup | None) -> str:
    """Return the name of the duty for a group of shards; None for all of them, however many Discord wants."""
    return ALL_SHARDS if group is None else str(group)


class Workers(Protocol):
    """What one process knows of all of them.

    A process *leads* a server if it does the server's background work. At most one process leads it at any time.
    """

    @property
    def me(self) -> str:
        """The id of this process, for its life."""
        ...

    @property
    def is_alone(self) -> bool:
        """Whether no other process can use the database, so that memory never gets out of date."""
        ...

    @property
    def lease(self) -> int | None:
        """The number of the time in which the others are certain to count this process among the living.

        None if they may not do so now. The number is another one if they may not have done so meanwhile.
        """
        ...

    @property
    def offset(self) -> timedelta:
        """How far the server's clock is ahead of this machine's."""
        ...

    @property
    def duties(self) -> Mapping[str, bool]:
        """The duties that this process may have, by name, and whether it leads there."""
        ...

    def leads(self, guild_id: int | None) -> bool:
        """Return whether this process leads a server; None: the housekeeping."""
        ...

    async def alive(self) -> frozenset[str]:
        """Return the ids of the processes that no other one has called dead; this one is among them."""
        ...

    async def join(self, *, receives: Callable[[], bool]) -> None:
        """Begin to take duties. ``receives`` returns whether Discord sends this process its interactions now.

        Call it again if that has changed: the others know it at once then.
        """
        ...

    async def changed(self) -> None:
        """Wait until this process has got a duty, or another process is gone."""
        ...

    async def claims(self, interaction_id: int, guild_id: int | None) -> bool:
        """Return whether this process answers an interaction: True in one process at most.

        DatabaseUnavailable if that cannot be found out soon enough, but after a process that can has answered.
        """
        ...

    def finished(self, interaction_id: int) -> None:
        """Note that a claimed interaction has its last answer."""
        ...

    async def leave(self) -> None:
        """Give the duties up and leave new interactions to other processes, if there are any."""
        ...
