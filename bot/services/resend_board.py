"""Keeps the cards of requests up to date in the background: posts, edits, reposts and reminders. No one awaits Discord.

The database says which card a request has and whether it is behind, so that a stop loses no work.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import attrs

from bot.domain.errors import ApprovalsChannelUnusable, CardReplaced
from bot.domain.links import Link
from bot.domain.resends import CardEdit, CardMessage, PostedCard, Resend, ResendState
from bot.ports import Clock, GuildSettingsRepository
from bot.ports.resends import ResendCards, ResendRepository
from bot.ports.workers import Workers
from bot.services.guilds import ServedGuilds
from bot.services.keyed_tasks import KeyedTasks, call_within

_log = logging.getLogger(__name__)

_AT_ONCE = 20
_RETRY_AFTER = timedelta(seconds=5)
_RETRY_AT_LEAST_EVERY = timedelta(minutes=1)
"""The back-off of a card that Discord does not take: twice as long after each failure, up to this."""

_CHECK_EVERY = timedelta(minutes=30)
_CHECK_AT_MOST_EVERY = timedelta(minutes=10)
"""How often SkinDesk looks whether a card was deleted: by itself, and if moderators list the requests."""

RETRY_ENDED_FOR = timedelta(days=1)
"""How long the card of an ended request is retried. After that, pressing a button of it still shows the end."""


@attrs.define(eq=False)
class _Card:
    """The card of a request, as this process knows it. Times are those of the monotonic clock."""

    resend: Resend
    checked_at: float | None = None
    is_queued: bool = False
    must_edit: bool = False
    """Whether the card has to be edited although it is stored as up to date."""
    must_post: bool = False
    """Whether the card has to be posted again. After a lost answer, only the same post again finds the message."""
    must_mention: bool = False
    """Whether the next post is a reminder, which mentions the moderators' role again."""
    failures: int = 0
    retry_at: float | None = None
    first_post: asyncio.Future[bool] | None = None
    """Resolved with whether the channel can be used, for the requester who waits."""


@attrs.define(kw_only=True, eq=False)
class ResendBoard:
    """Shows requests on their cards. Call :meth:`show` after each change; it reads the current state itself.

    Nothing is shown in a server that is not served.
    """

    _repository: ResendRepository
    _settings: GuildSettingsRepository
    _guilds: ServedGuilds
    _cards: ResendCards
    _workers: Workers
    _clock: Clock
    _each_within: float = 20.0
    """Seconds for one call to Discord."""
    _known: dict[int, _Card] = attrs.field(init=False, factory=dict)
    _tasks: KeyedTasks = attrs.field(init=False, factory=partial(KeyedTasks, _AT_ONCE))

    def show(self, resend: Resend, *, again: bool = False) -> None:
        """Begin to show the request's current state on its card: post it, edit it, or post it again if it is gone.

        One card's calls run one after the other, so an older state never replaces a newer one. ``again``: edit the card
        even if it is stored as up to date.
        """
        if not self._guilds.serves(resend.guild_id):
            return
        card = self._card(resend)
        card.must_edit |= again
        if not card.is_queued:
            card.is_queued = True
            self._tasks.begin(resend.id, partial(self._bring_up_to_date, card))

    async def show_link(self, changed: Link) -> None:
        """Begin to show a changed link on the cards of the open requests for trades of its accounts."""
        accounts = {changed.steam_id, *(hand_over.steam_id for hand_over in changed.hand_overs)}
        for resend in await self._repository.open_in_guild(changed.guild_id):
            if resend.owner in accounts:
                self.show(resend, again=True)

    async def show_language(self, guild_id: int) -> None:
        """Begin to show a guild's open requests in its language, which was changed."""
        for resend in await self._repository.open_in_guild(guild_id):
            self.show(resend, again=True)

    async def show_within(self, seconds: float, resend: Resend) -> None:
        """Begin to edit a card that a click showed to be behind, and wait ``seconds`` at most."""
        self.show(resend, again=True)
        await self._tasks.wait(resend.id, within=seconds)

    async def post_within(self, seconds: float, resend: Resend) -> bool:
        """Begin to post the first card, wait ``seconds`` at most, and return whether the channel can be used.

        False: the caller cancels the request. Later the board does, if it finds that out after the wait.
        """
        if not self._guilds.serves(resend.guild_id):
            return True
        card = self._card(resend)
        card.first_post = first_post = asyncio.get_running_loop().create_future()
        self.show(resend)
        try:
            await asyncio.wait({first_post}, timeout=seconds)
        finally:
            card.first_post = None
        return not first_post.done() or first_post.result()

    async def adopt(self, resend: Resend, message: CardMessage | None, *, version: int | None = None) -> Resend:
        """Make a pressed message the request's card if it has none, and return the request; CardReplaced for another.

        Such a card was posted, and the answer was lost. ``version`` is what it shows, if that is known.
        """
        if message is not None and resend.message_id is None:
            adopted = await self._repository.attach_card(
                resend.guild_id,
                resend.id,
                channel_id=message.channel_id,
                message_id=message.message_id,
                version=version,
                state=resend.state,
            )
            if adopted is not None:
                card = self._card(adopted)
                card.must_post, card.checked_at = False, self._clock.monotonic()
                _log.info("card adopted id=%s message=%s", resend.id, message.message_id)
            resend = adopted or await self._repository.get(resend.guild_id, resend.id) or resend
        if message is not None and resend.message_id != message.message_id:
            raise CardReplaced(resend)
        return resend

    def refresh(self, requests: Sequence[Resend], behind: Sequence[Resend], *, alive: Collection[str]) -> None:
        """Begin the reminders that are due, one retry, and one look for a deleted card.

        Call it every few seconds with all open requests, and those that ended and whose cards are behind. A card that
        this process has not seen yet is brought up to date at once; of the others, one a call: Discord bans bots after
        too many refused requests.
        """
        now, monotonic = self._clock.now(), self._clock.monotonic()
        ours = [resend for resend in (*requests, *behind) if self._is_ours(resend, alive)]
        for resend in ours:
            is_known = resend.id in self._known
            card = self._card(resend)
            if self._tasks.is_busy(resend.id):
                continue
            if resend.message_id is not None and resend.is_reminder_due(now):
                self._tasks.begin(resend.id, partial(self._remind, card))
            elif not resend.is_shown and not is_known:
                self.show(resend)
            elif card.retry_at is None and not resend.is_shown:
                card.retry_at = monotonic
        self._drop_ended({resend.id for resend in requests}, now)
        due = [
            card
            for number, card in self._known.items()
            if card.retry_at is not None and card.retry_at <= monotonic and not self._tasks.is_busy(number)
        ]
        if due:
            self.show(min(due, key=lambda card: card.retry_at or monotonic).resend)
        self._check([resend for resend in ours if resend.state.is_open], at_most=1, every=_CHECK_EVERY)

    def check(self, requests: Iterable[Resend]) -> None:
        """Begin to look whether these cards were deleted: moderators are about to use them."""
        self._check(requests, at_most=_AT_ONCE, every=_CHECK_AT_MOST_EVERY)

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that have not ended."""
        return self._tasks.running

    async def close(self, *, within: float) -> None:
        """Let running calls end for ``within`` seconds; the next start does the rest."""
        await self._tasks.close(within=within)

    def _card(self, resend: Resend) -> _Card:
        card = self._known.setdefault(resend.id, _Card(resend))
        card.resend = resend
        return card

    def _is_ours(self, resend: Resend, alive: Collection[str]) -> bool:
        """Return whether this process looks after the card: not if another one still works on the request."""
        if not self._guilds.serves(resend.guild_id):
            return False
        if resend.worker in (None, self._workers.me) or resend.state is ResendState.UNKNOWN:
            return resend.worker == self._workers.me or self._workers.leads(resend.guild_id)
        return resend.worker not in alive and self._workers.leads(resend.guild_id)

    def _drop_ended(self, open_ids: set[int], now: datetime) -> None:
        for number, card in list(self._known.items()):
            ended_at = card.resend.settled_at
            is_old = ended_at is not None and now - ended_at > RETRY_ENDED_FOR
            is_left = card.retry_at is not None and not is_old and self._guilds.serves(card.resend.guild_id)
            if number not in open_ids and not is_left and not self._tasks.is_busy(number):
                del self._known[number]

    def _check(self, requests: Iterable[Resend], *, at_most: int, every: timedelta) -> None:
        now = self._clock.monotonic()
        cards = [self._card(resend) for resend in requests if resend.message_id is not None]
        due = [card for card in cards if card.checked_at is None or card.checked_at + every.total_seconds() <= now]
        for card in sorted(due, key=lambda card: (card.checked_at is not None, card.checked_at or now))[:at_most]:
            card.checked_at = now
            self._tasks.begin(card.resend.id, partial(self._check_card, card))

    async def _check_card(self, card: _Card) -> None:
        """Edit the card if it may be gone: only that tells a deleted message from one that may not be read."""
        try:
            is_there = await call_within(self._each_within, self._cards.is_there(card.resend))
        except TimeoutError:
            return
        if not is_there:
            self.show(card.resend, again=True)

    async def _remind(self, card: _Card) -> None:
        """Have the card posted again at the end of the channel, at most once even across a restart."""
        resend = card.resend
        reminded = await self._repository.remind(resend.guild_id, resend.id, at=self._clock.now())
        if reminded is not None:
            card.must_post = card.must_mention = True
            self.show(reminded)

    async def _bring_up_to_date(self, card: _Card) -> None:
        card.is_queued = succeeded = False
        try:
            succeeded = await self._is_shown_after_all(card)
        finally:
            self._resolve(card, usable=True)
            if succeeded:
                card.failures, card.retry_at = 0, None
            else:
                card.failures += 1
                longer = _RETRY_AFTER * 2 ** min(card.failures - 1, 10)
                wait = min(longer, _RETRY_AT_LEAST_EVERY)
                card.retry_at = self._clock.monotonic() + wait.total_seconds()

    async def _is_shown_after_all(self, card: _Card) -> bool:  # noqa: PLR0911 -- one for each way it can end
        """Do what is needed, and return whether the card shows what the request was when it was read."""
        current = await self._repository.get(card.resend.guild_id, card.resend.id)
        if current is None:
            return True
        card.resend = current
        if current.message_id is None or card.must_post:
            return await self._post(card, current)
        if current.is_shown and not card.must_edit:
            return True
        card.must_edit = False
        edit = await self._edit(current)
        if edit is CardEdit.DOUBTFUL:
            card.must_edit = True
            return False
        if edit is CardEdit.LIMITED or (edit is CardEdit.GONE and current.state.is_open):
            newest = await self._repository.get(current.guild_id, current.id)
            if newest is None:
                return True
            if newest.message_id == current.message_id:
                return await self._post(card, newest, is_gone=edit is CardEdit.GONE)
            self.show(newest, again=True)  # another process has replaced the card
            return True
        shown = await self._repository.card_shows(
            current.guild_id,
            current.id,
            message_id=current.message_id,
            version=current.version,
            state=current.state,
        )
        if shown is None or not shown.has_same_card(current):
            self.show(current, again=True)  # changed meanwhile: another process's newer edit may have come before this
        return True

    async def _edit(self, resend: Resend) -> CardEdit:
        """Edit the card. One that takes too long is limited: a new card is there sooner."""
        try:
            return await call_within(self._each_within, self._cards.update(resend))
        except TimeoutError:
            _log.warning("card not updated in time id=%s state=%s", resend.id, resend.state.value)
            return CardEdit.LIMITED

    async def _post(self, card: _Card, resend: Resend, *, is_gone: bool = False) -> bool:
        """Post the card in the guild's approvals channel, and remove the one that it replaces."""
        if resend.message_id is None and not resend.state.is_open:
            return True
        settings = await self._settings.of_guild(resend.guild_id)
        channel_id, role_id = settings.approvals_channel_id, settings.approvals_role_id
        # A card that only replaces one, which was deleted or takes no edits, mentions no one a second time.
        is_news = resend.state is ResendState.PENDING and (resend.message_id is None or card.must_mention)
        try:
            if channel_id is None:
                raise ApprovalsChannelUnusable  # noqa: TRY301 -- handled like a channel that Discord refuses
            posting = self._cards.post(resend, channel_id=channel_id, mention=role_id if is_news else None)
            posted = await call_within(self._each_within, posting)
        except ApprovalsChannelUnusable:
            card.must_post = card.must_mention = False
            card.must_edit = resend.message_id is not None
            return resend.message_id is None and await self._cancel_unposted(card, resend)
        except Exception as error:  # noqa: BLE001 -- Discord's trouble: the request stays open until a retry succeeds
            card.must_post = True
            _log.warning("card not posted id=%s channel=%s %s", resend.id, channel_id, type(error).__name__)
            return False
        card.must_post = card.must_mention = False
        await self._attach(card, resend, posted, channel_id=channel_id, is_gone=is_gone)
        return True

    async def _attach(self, card: _Card, resend: Resend, posted: PostedCard, *, channel_id: int, is_gone: bool) -> None:
        attached = await self._repository.attach_card(
            resend.guild_id,
            resend.id,
            channel_id=channel_id,
            message_id=posted.message_id,
            version=resend.version if posted.is_current else None,
            state=resend.state,
            replaces=resend.message_id,
        )
        newest = attached or await self._repository.get(resend.guild_id, resend.id)
        if newest is None or newest.message_id != posted.message_id:
            # A click has brought another message meanwhile: there is one card for each request.
            self._remove(replace(resend, channel_id=channel_id, message_id=posted.message_id))
        elif resend.message_id not in (None, posted.message_id) and not is_gone:
            self._remove(resend)
        card.checked_at = self._clock.monotonic()
        _log.info("card posted id=%s channel=%s", resend.id, channel_id)
        if newest is not None and not (newest.is_shown and newest.has_same_card(resend)):
            self.show(newest, again=True)

    def _remove(self, resend: Resend) -> None:
        async def remove() -> None:
            try:
                await call_within(self._each_within, self._cards.remove(resend))
            except TimeoutError:
                _log.warning("card not removed in time id=%s message=%s", resend.id, resend.message_id)

        if resend.message_id is not None:
            self._tasks.begin(resend.message_id, remove)

    async def _cancel_unposted(self, card: _Card, resend: Resend) -> bool:
        """End a request that no one can decide, because its channel takes no card."""
        if not self._resolve(card, usable=False):
            await self._repository.cancel(
                resend.guild_id, resend.id, at=self._clock.now(), reason="card_not_posted"
            )  # ResendDelivery.tick notifies its people
        return True

    def _resolve(self, card: _Card, *, usable: bool) -> bool:
        """Tell the requester who waits for the first post; return whether there is one."""
        waiting, card.first_post = card.first_post, None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(usable)
        return True
