"""The processes that work on one database, and which of them does what."""

from typing import Protocol


class Workers(Protocol):
    """What one process knows of all of them."""

    @property
    def me(self) -> str:
        """This process, for its life."""
        ...

    async def alive(self) -> frozenset[str]:
        """Return the processes that work now, this one among them. Another one has ended or hangs for seconds."""
        ...

    async def claims(self, interaction_id: int) -> bool:
        """Return whether this process answers an interaction: True in exactly one process."""
        ...

    def leads(self, guild_id: int | None) -> bool:
        """Return whether this process does a server's work that nobody asked for; None: the whole desk's."""
        ...

    async def leave(self) -> None:
        """Claim nothing more, and give the work that nobody asked for to another process."""
        ...
