"""What moderators see of all requests, and which of them looks at which."""

import attrs

from bot.domain.access import Actor, Capability
from bot.domain.errors import AlreadyDecided
from bot.domain.resend_queue import COUNTED, MEDIAN_OVER, ResendQueue
from bot.domain.resends import CardMessage, Resend, ResendState
from bot.ports import Clock
from bot.ports.resends import ResendRepository
from bot.services.access import AccessService
from bot.services.pauses import PauseService
from bot.services.resend_board import ResendBoard
from bot.services.resends import ResendService

_EDITED_WITHIN = 1.0
"""Seconds that a moderator waits for the card to show that they look at it."""


@attrs.define(kw_only=True, eq=False)
class ResendQueueService:
    """The open requests of a guild. Everything here needs ``resend.approve``."""

    _repository: ResendRepository
    _resends: ResendService
    _access: AccessService
    _pauses: PauseService
    _board: ResendBoard
    _clock: Clock

    async def read(self, *, by: Actor) -> ResendQueue:
        """Return the guild's open requests, oldest first, and look whether their cards were deleted."""
        await self._access.require(Capability.APPROVE_RESEND, of=by)
        now = self._clock.now()
        requests = await self._repository.open_in_guild(by.guild_id)
        self._board.check(requests)
        counts = await self._repository.counts(by.guild_id, since=now - COUNTED, median_since=now - MEDIAN_OVER)
        return ResendQueue(requests, counts, await self._pauses.pause_of(by.guild_id), read_at=now)

    async def take(self, resend_id: int, *, by: Actor, holder: int | None, card: CardMessage | None = None) -> Resend:
        """Show on the card that the actor looks at the request, in the place of ``holder``; a holder releases it.

        The rules are those of approving: who may not decide would only keep others away. It keeps no one from
        deciding. Return the request afterwards: unchanged if another one than ``holder`` looks at it by now.
        AlreadyDecided if no decision is left.
        """
        resend = await self._board.adopt(await self._resends.decidable(resend_id, by=by), card)
        if resend.state not in (ResendState.PENDING, ResendState.UNKNOWN):
            raise AlreadyDecided(resend)
        taken = await self._repository.take(
            by.guild_id,
            resend_id,
            by=by.user_id,
            holder=holder,
            at=self._clock.now(),
            only_if=self._resends.approver_condition(resend, by),
        )
        newest = taken or await self._resends.decidable(resend_id, by=by)
        # Also if nothing was changed: a card that names another holder than there is could not be taken ever again.
        await self._board.show_within(_EDITED_WITHIN, newest)
        if newest.state not in (ResendState.PENDING, ResendState.UNKNOWN):
            raise AlreadyDecided(newest)
        return newest
