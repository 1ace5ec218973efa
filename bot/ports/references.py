"""The interface of the stored references of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.domain.references import ErrorReference


class ReferenceRepository(Protocol):
    """The facts behind references, without any secret; each member has a share of the room."""

    async def save(self, *errors: ErrorReference) -> None:
        """Store errors, all or none; a member's oldest are evicted if there are too many of theirs, or of all."""

    async def load(self, guild_id: int, reference: str, *, since: datetime) -> ErrorReference | None:
        """Return the error with this reference in this guild, unless it is older than ``since``."""

    async def of_user(self, guild_id: int, user_id: int, *, since: datetime) -> Sequence[ErrorReference]:
        """Return a member's errors in this guild after ``since``, the newest first."""

    async def purge(self, *, before: datetime) -> None:
        """Delete older errors."""
