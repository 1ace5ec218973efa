"""The interface of the stored notes on customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.customers import CustomerKey
    from bot.domain.notes import Note


class NoteRepository(Protocol):
    """Notes of a guild's staff. Each one added or removed has its audit row, which never has the text."""

    async def add(self, note: Note, *, at_most: int) -> Note | None:
        """Store a note (its ``id`` is ignored) and return it; None if its customer has ``at_most`` already."""

    async def of_customer(self, guild_id: int, key: CustomerKey) -> tuple[Note, ...]:
        """Return the notes on the member and on the account, newest first."""

    async def remove(self, guild_id: int, note_id: int, *, by: int, of_anyone: bool, at: datetime) -> Note | None:
        """Delete and return a note of this author, or ``of_anyone``; None if there is no such note."""
