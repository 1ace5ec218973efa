"""Keeps the cards of open requests true and in sight: one writer a card, a new one where it is gone, a reminder."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from bot.domain.errors import ApprovalsChannelUnusable
from bot.domain.resends import CardEdit, Resend
from bot.ports import Clock, GuildSettingsRepository, ResendCards, ResendRepository

_log = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(minutes=10)
"""How often a card is looked after that nothing happens to: that somebody deleted it shows only when it is edited."""

_MAX_ENDED = 1_000
"""Ended requests whose cards are tried again. After a restart pressing their buttons still shows the end."""


class ResendBoard:
    """Shows requests on their cards. Whoever changed a request calls :meth:`show`; what is shown is read then."""

    def __init__(
        self,
        *,
        repository: ResendRepository,
        settings: GuildSettingsRepository,
        cards: ResendCards,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._settings = settings
        self._cards = cards
        self._clock = clock
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._looked_at: dict[int, datetime] = {}
        self._to_try_again: dict[int, Resend] = {}

    async def show(self, resend: Resend) -> None:
        """Make the card show the request as it is by now; the card of an open one that is gone is posted again.

        One edit follows the other, each with what is true when it begins: an older one never covers a newer one.
        """
        async with self._turn_of(resend):
            now = await self._repository.get(resend.guild_id, resend.id)
            if now is None or now.message_id is None:
                return
            self._looked_at[now.id] = self._clock.now()
            edit = await self._cards.update(now)
            self._note(now, succeeded=edit is not CardEdit.DOUBTFUL)
            if edit is CardEdit.SHOWN and not now.is_shown:
                await self._repository.card_shows(now.guild_id, now.id, message_id=now.message_id, version=now.version)
            elif edit is CardEdit.GONE and now.state.is_open:
                await self._post_anew(now)

    async def look_after(self, requests: Sequence[Resend]) -> None:
        """Recall half-expired ones of the open ``requests``, and look after the one that is the longest overdue.

        Call it every few seconds with all of them. One look a time: Discord shuts out whoever is refused too often.
        A card that may not show how its request is, open or ended, is due at once, and again until it does.
        """
        ended = [resend for resend in self._to_try_again.values() if not resend.state.is_open][-_MAX_ENDED:]
        waiting = {resend.id: resend for resend in (*ended, *requests)}
        self._looked_at = {number: at for number, at in self._looked_at.items() if number in waiting}
        self._to_try_again = {number: one for number, one in self._to_try_again.items() if number in waiting}
        now = self._clock.now()
        for resend in requests:
            if resend.message_id is not None and resend.is_reminder_due(now):
                await self._recall(resend)
        due = [resend for resend in waiting.values() if resend.message_id is not None and self._look_at(resend) <= now]
        if due:
            await self.show(min(due, key=self._look_at))

    async def _recall(self, resend: Resend) -> None:
        """Bring the card to the end of the channel: once, also where a stop comes in between."""
        async with self._turn_of(resend):
            reminded = await self._repository.remind(resend.guild_id, resend.id, at=self._clock.now())
            if reminded is None:
                return
            self._looked_at[reminded.id] = self._clock.now()
            if await self._post_anew(reminded):
                await self._cards.remove(reminded)

    async def _post_anew(self, resend: Resend) -> bool:
        """Post the card in the guild's approvals channel; where that fails the next look tries again."""
        settings = await self._settings.of_guild(resend.guild_id)
        channel_id = settings.approvals_channel_id
        try:
            if channel_id is None:
                raise ApprovalsChannelUnusable  # noqa: TRY301 -- the same to whoever waits for the card
            message_id = await self._cards.post(resend, channel_id=channel_id)
        except Exception as error:  # noqa: BLE001 -- the request goes on without a card, until there is one again
            self._note(resend, succeeded=False)
            _log.warning("card not posted anew id=%s channel=%s %s", resend.id, channel_id, type(error).__name__)
            return False
        await self._repository.attach_card(
            resend.guild_id, resend.id, channel_id=channel_id, message_id=message_id, version=resend.version
        )
        self._note(resend, succeeded=True)
        _log.info("card posted anew id=%s channel=%s", resend.id, channel_id)
        return True

    def _note(self, resend: Resend, *, succeeded: bool) -> None:
        if succeeded:
            self._to_try_again.pop(resend.id, None)
        else:
            self._to_try_again[resend.id] = resend

    def _look_at(self, resend: Resend) -> datetime:
        looked = self._looked_at.get(resend.id, resend.requested_at)
        return looked if resend.id in self._to_try_again or not resend.is_shown else looked + _LOOK_EVERY

    def _turn_of(self, resend: Resend) -> asyncio.Lock:
        turn = self._turns.get(resend.id)
        if turn is None:
            turn = self._turns[resend.id] = asyncio.Lock()
        return turn
