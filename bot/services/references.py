"""Keeps the facts behind the references that errors show, and finds them for staff."""

import asyncio
import logging
from contextvars import Context

import attrs

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.failures import Failure
from bot.domain.references import KEPT_FOR, ErrorReference, reference_in
from bot.ports import AuditRepository, Clock
from bot.ports.references import ReferenceRepository
from bot.services.access import AccessService

_log = logging.getLogger(__name__)

_SAVED_WITHIN = 0.05
"""Seconds that an error waits for others to be saved with it."""

_MAX_UNSAVED = 1_000
_USERS_UNSAVED = 50
"""Of one member: beyond that their own oldest are left out."""


@attrs.define(kw_only=True, eq=False)
class ReferenceService:
    """Errors by their references: in memory until they are saved, in the repository for :data:`KEPT_FOR`."""

    _repository: ReferenceRepository
    _access: AccessService
    _rows: AuditRepository
    _clock: Clock
    _unsaved: dict[tuple[int, str], ErrorReference] = attrs.field(init=False, factory=dict)
    _saving: asyncio.Task[None] | None = attrs.field(init=False, default=None)

    def remember(
        self,
        reference: str,
        *,
        guild_id: int,
        user_id: int,
        command: str,
        error: str,
        title: str,
        failure: Failure | None,
    ) -> None:
        """Keep an error. It is saved in the background, so that no answer waits for it or fails with it."""
        if len(self._unsaved) >= _USERS_UNSAVED:
            self._make_room(guild_id, user_id)
        self._unsaved[guild_id, reference] = ErrorReference(
            guild_id, reference, user_id, self._clock.now(), command, error, title, failure
        )
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save(), context=Context())

    async def find(self, text: str, *, by: Actor) -> ErrorReference | None:
        """Return the error of the reference that a text names, for holders of ``trades.any`` in its guild.

        None for everyone else, without looking: nothing tells whether it exists. That another user's error is viewed is
        logged before it is returned.
        """
        reference = reference_in(text)
        if reference is None or Capability.TRADES_ANY not in await self._access.capabilities_of(by):
            return None
        guild_id, since = by.guild_id, self._clock.now() - KEPT_FOR
        error = self._unsaved.get((guild_id, reference))
        error = error or await self._repository.load(guild_id, reference, since=since)
        if error is not None and error.user_id != by.user_id:
            subject, detail = f"user:{error.user_id}", {"reference": reference}
            action, at = AuditAction.REFERENCE_VIEWED, self._clock.now()
            await self._rows.append(AuditEntry(guild_id, at, by.user_id, action, subject, detail))
        return error

    async def saved(self) -> None:
        """Wait until every error so far is saved, or could not be."""
        while self._saving is not None and not self._saving.done() and self._unsaved:
            await asyncio.wait({self._saving})

    def evict(self, guild_id: int, user_id: int) -> None:
        """Remove a member's errors from memory."""
        self._unsaved = {key: kept for key, kept in self._unsaved.items() if not _is_of(kept, guild_id, user_id)}

    async def purge(self) -> None:
        """Delete what is older than :data:`KEPT_FOR`."""
        await self._repository.purge(before=self._clock.now() - KEPT_FOR)

    def _make_room(self, guild_id: int, user_id: int) -> None:
        users = [key for key, kept in self._unsaved.items() if _is_of(kept, guild_id, user_id)]
        if len(users) >= _USERS_UNSAVED:
            del self._unsaved[users[0]]
        elif len(self._unsaved) >= _MAX_UNSAVED:
            del self._unsaved[next(iter(self._unsaved))]

    async def _save(self) -> None:
        while self._unsaved:
            await asyncio.sleep(_SAVED_WITHIN)
            batch = tuple(self._unsaved.values())
            try:
                await self._repository.save(*batch)
            except Exception as error:  # noqa: BLE001 -- the log has every error by its reference
                _log.warning("references not saved count=%s error=%s", len(batch), type(error).__name__)
            for saved in batch:
                if self._unsaved.get((saved.guild_id, saved.reference)) is saved:
                    del self._unsaved[saved.guild_id, saved.reference]


def _is_of(error: ErrorReference, guild_id: int, user_id: int) -> bool:
    return (error.guild_id, error.user_id) == (guild_id, user_id)
