"""Keeps the cards of requests up to date: edits, reposts of deleted cards, and reminders."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import attrs

from bot.domain.errors import ApprovalsChannelUnusable
from bot.domain.resends import CardEdit, Resend
from bot.ports import Clock, GuildSettingsRepository
from bot.ports.resends import ResendCards, ResendRepository
from bot.services.guilds import ServedGuilds

_log = logging.getLogger(__name__)

_REFRESH_EVERY = timedelta(minutes=10)
"""How often an unchanged card is edited: only an edit shows whether it was deleted."""

_MAX_ENDED = 1_000
"""Ended requests whose card edits are retried. After a restart, pressing a button of theirs shows the end."""


@attrs.define(kw_only=True, eq=False)
class ResendBoard:
    """Shows requests on their cards. Call :meth:`show` after each change; it reads the current state itself.

    Nothing is shown in a server that is not served.
    """

    _repository: ResendRepository
    _settings: GuildSettingsRepository
    _guilds: ServedGuilds
    _cards: ResendCards
    _clock: Clock
    _locks: WeakValueDictionary[int, asyncio.Lock] = attrs.field(init=False, factory=WeakValueDictionary)
    _refreshed_at: dict[int, datetime] = attrs.field(init=False, factory=dict)
    _to_retry: dict[int, Resend] = attrs.field(init=False, factory=dict)
    """Requests whose card may not show their current state, although Discord was asked to."""

    async def show(self, resend: Resend) -> None:
        """Show the request's current state on its card; repost the card of an open request if it is gone.

        Edits of one card run one after the other, so an older state never replaces a newer one.
        """
        if not self._guilds.serves(resend.guild_id):
            return
        async with self._locks.setdefault(resend.id, asyncio.Lock()):
            current = await self._repository.get(resend.guild_id, resend.id)
            if current is None or current.message_id is None:
                return
            self._refreshed_at[current.id] = self._clock.now()
            edit = await self._cards.update(current)
            self._note(current, succeeded=edit is not CardEdit.DOUBTFUL)
            if edit is CardEdit.SHOWN and not current.is_shown:
                await self._repository.card_shows(
                    current.guild_id, current.id, message_id=current.message_id, version=current.version
                )
            elif edit is CardEdit.GONE and current.state.is_open:
                await self._repost(current)

    async def refresh(self, requests: Sequence[Resend]) -> None:
        """Send the reminders that are due, and refresh the one card that is the longest overdue.

        Call it every few seconds with all open requests. One edit per call: Discord bans bots after too many refused
        requests. A card that may not show the current state is due at once.
        """
        ended = [resend for resend in self._to_retry.values() if not resend.state.is_open][-_MAX_ENDED:]
        requests = [resend for resend in requests if self._guilds.serves(resend.guild_id)]
        waiting = {resend.id: resend for resend in (*ended, *requests)}
        self._refreshed_at = {number: at for number, at in self._refreshed_at.items() if number in waiting}
        self._to_retry = {number: resend for number, resend in self._to_retry.items() if number in waiting}
        now = self._clock.now()
        for resend in requests:
            if resend.message_id is not None and resend.is_reminder_due(now):
                await self._remind(resend)
        due = [one for one in waiting.values() if one.message_id is not None and self._due_at(one) <= now]
        if due:
            await self.show(min(due, key=self._due_at))

    async def _remind(self, resend: Resend) -> None:
        """Post the card again at the end of the channel, at most once even across a restart."""
        async with self._locks.setdefault(resend.id, asyncio.Lock()):
            reminded = await self._repository.remind(resend.guild_id, resend.id, at=self._clock.now())
            if reminded is None:
                return
            self._refreshed_at[reminded.id] = self._clock.now()
            if await self._repost(reminded):
                await self._cards.remove(reminded)

    async def _repost(self, resend: Resend) -> bool:
        """Post the card in the guild's approvals channel; if that fails, :meth:`refresh` tries again."""
        channel_id = (await self._settings.of_guild(resend.guild_id)).approvals_channel_id
        try:
            if channel_id is None:
                raise ApprovalsChannelUnusable  # noqa: TRY301 -- logged like any other failure
            message_id = await self._cards.post(resend, channel_id=channel_id)
        except Exception as error:  # noqa: BLE001 -- the request stays open without a card until a retry succeeds
            self._note(resend, succeeded=False)
            _log.warning("card not reposted id=%s channel=%s %s", resend.id, channel_id, type(error).__name__)
            return False
        await self._repository.attach_card(
            resend.guild_id, resend.id, channel_id=channel_id, message_id=message_id, version=resend.version
        )
        self._note(resend, succeeded=True)
        _log.info("card reposted id=%s channel=%s", resend.id, channel_id)
        return True

    def _note(self, resend: Resend, *, succeeded: bool) -> None:
        if succeeded:
            self._to_retry.pop(resend.id, None)
        else:
            self._to_retry[resend.id] = resend

    def _due_at(self, resend: Resend) -> datetime:
        refreshed = self._refreshed_at.get(resend.id, resend.requested_at)
        return refreshed if resend.id in self._to_retry or not resend.is_shown else refreshed + _REFRESH_EVERY
