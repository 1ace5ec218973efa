"""Tells users by direct message when a trade that they watch changes."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import attrs
from cachetools import LRUCache
from msgspec.structs import replace as altered

from bot.domain.access import WATCHES, Actor, Caller, Capability, Viewer, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    DirectMessagesClosed,
    DiscordUnavailable,
    NotLinked,
    Overloaded,
    ProviderError,
    ProviderOff,
    TradeHasEnded,
    TradeNotWatchable,
)
from bot.domain.failures import ProviderName
from bot.domain.steam import SteamId
from bot.domain.trades import Trade
from bot.domain.watches import (
    KEPT_FOR,
    MOST_WATCHES,
    Delivery,
    TradeKey,
    Watch,
    WatchEnd,
    is_watchable,
    standing_of,
)
from bot.languages import current
from bot.ports import Clock, LinkRepository
from bot.ports.watches import WatchedTrades, WatchMessages, WatchRepository
from bot.ports.workers import Workers
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.guilds import ServedGuilds
from bot.services.keyed_tasks import KeyedTasks, call_within
from bot.services.person_limit import PersonLimit

_log = logging.getLogger(__name__)

T = TypeVar("T")

READ_EVERY = timedelta(minutes=1)
"""One reading of a provider serves all its watches."""
TICK = timedelta(seconds=10)
_REMEMBERED = 10_000
_AT_ONCE = 2
"""Messages sent together: a thousand take minutes, and the cards and answers of others get through meanwhile."""
_FIRST_WITHIN = 10.0
"""Seconds for the first message, for which the user waits."""
_USES = 20
_WITHIN = timedelta(minutes=10)
"""How often one member may begin a watch: each costs a reading and a message."""

_LISTED_BY_ANOTHER = {ProviderName.ASSETPAY_CLIENT: ProviderName.ASSETPAY}
"""The merchant's key finds the single trades that a client's token lists (trades.md, 1.2)."""


@dataclass(frozen=True, slots=True)
class BegunWatch:
    """A watch that a user asked for. ``is_new`` is false if there was one already."""

    watch: Watch
    is_new: bool


@dataclass(frozen=True, slots=True)
class TooManyWatches:
    """A user asked for one more watch than one may have: these are the others."""

    watches: tuple[Watch, ...]


@attrs.define(kw_only=True, eq=False)
class WatchService:
    """Watched trades: one's own with ``trades.own``, anyone's with ``trades.any``.

    A change is sent first and stored afterwards. A crash between the two sends it again at the next reading,
    with the same nonce, and Discord drops the second one if it comes within some minutes. So a change is sent at least
    once: an outcome that a customer waits for is not lost.

    Rights are checked before each message: the link in the database, and what @everyone may do. If that is not enough
    Discord is asked for the member's roles, once a message.
    """

    _repository: WatchRepository
    _providers: tuple[WatchedTrades, ...]
    _access: AccessService
    _links: LinkRepository
    _audit: AuditService
    _guilds: ServedGuilds
    _workers: Workers
    _messages: WatchMessages
    _clock: Clock
    _each_within: float = 60.0
    """Seconds for one message."""
    _due: dict[ProviderName, float] = attrs.field(init=False, factory=dict)
    _sent: LRUCache[int, str] = attrs.field(init=False, factory=partial(LRUCache, _REMEMBERED))
    """The nonce of each watch's last message in this process: it is not sent again, even if storing it fails."""
    _tasks: KeyedTasks = attrs.field(init=False, factory=partial(KeyedTasks, _AT_ONCE))
    _limit: PersonLimit = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._limit = PersonLimit(_USES, _WITHIN, self._clock)

    def can_watch(self, trade: Trade) -> bool:
        """Return whether *Notify me* is offered for a trade."""
        return is_watchable(trade) and self._reading(trade.provider) is not None

    async def begin(self, provider: ProviderName, trade_id: str, *, by: Actor) -> BegunWatch | TooManyWatches:
        """Watch a trade for the actor, once the provider still lists it and a first direct message has arrived.

        Another's trade needs ``trades.any``, and is a view in the audit log. Nothing is watched after
        TradeNotWatchable (also for a trade that is not the actor's), TradeHasEnded, TooOften or DirectMessagesClosed.
        """
        viewer = await self._access.viewer(by)
        sees_all = Capability.TRADES_ANY in viewer.capabilities
        if not sees_all and Capability.TRADES_OWN not in viewer.capabilities:
            raise AccessDenied(Capability.TRADES_OWN)
        if not sees_all and viewer.link is None:
            raise NotLinked
        reading = self._reading(provider)
        if reading is None:
            raise ProviderOff(provider)
        watches = await self._repository.of_user(by.guild_id, by.user_id)
        if (watch := _of_trade(watches, reading.name, trade_id)) is not None and _may_see(viewer, watch.owner):
            return BegunWatch(watch, is_new=False)
        if len(watches) >= MOST_WATCHES:
            return TooManyWatches(watches)
        self._limit.use(by.guild_id, by.user_id)
        trade = await self._readable(reading, trade_id, by=viewer)
        return await self._begin(self._draft(trade, reading.name, by=by), trade, by=viewer)

    async def stop(self, watch_id: int, *, by: int) -> Watch | None:
        """End and return a user's watch; None if it has ended or is not theirs."""
        return await self._repository.remove(watch_id, of=by)

    async def tick(self) -> None:
        """Read each provider whose minute is over, and end what has expired; call it every :data:`TICK`."""
        await asyncio.gather(*map(self._read, self._providers))
        for watch in await self._repository.expired(at=self._clock.now()):
            if self._workers.leads(watch.guild_id) and await self._repository.remove(watch.id) is not None:
                self._tasks.begin(watch.id, partial(self._tell_end, watch, WatchEnd.TIME))

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The messages that are being sent, or wait for their turn."""
        return self._tasks.running

    async def close(self, *, within: float) -> None:
        """Give running messages ``within`` seconds; the rest is sent after the next start."""
        await self._tasks.close(within=within)

    def _reading(self, provider: ProviderName) -> WatchedTrades | None:
        name = _LISTED_BY_ANOTHER.get(provider, provider)
        return next((each for each in self._providers if each.name is name), None)

    async def _readable(self, reading: WatchedTrades, trade_id: str, *, by: Viewer) -> Trade:
        """Read a trade that the viewer may watch."""
        sees_all = Capability.TRADES_ANY in by.capabilities
        owner = None if by.link is None or sees_all else by.link.steam_id
        with on_behalf_of(Caller(by.actor.user_id, is_staff=is_staff(by.capabilities))):
            found = await reading.read([TradeKey(trade_id, owner)])
        trade = found.get(trade_id)
        if trade is None or trade.owner is None or not _may_see(by, trade.owner):
            raise TradeNotWatchable(reading.name, trade_id)
        if not is_watchable(trade):
            raise TradeHasEnded(trade)
        return altered(trade, code=None)

    def _draft(self, trade: Trade, provider: ProviderName, *, by: Actor) -> Watch:
        if trade.owner is None:
            raise ValueError(trade.id)
        now = self._clock.now()
        return Watch(
            id=0,
            guild_id=by.guild_id,
            user_id=by.user_id,
            provider=provider,
            trade_id=trade.id,
            owner=trade.owner,
            standing=standing_of(trade),
            notified_at=now,
            began_at=now,
            expires_at=now + KEPT_FOR,
            language=current().code,
        )

    async def _begin(self, draft: Watch, trade: Trade, *, by: Viewer) -> BegunWatch | TooManyWatches:
        """Store a watch, log the view, and send the first message; nothing stays stored if one of them fails."""
        added = await self._repository.add(draft, at_most=MOST_WATCHES)
        if added is None:
            return TooManyWatches(await self._repository.of_user(draft.guild_id, draft.user_id))
        watch, is_new = added
        if not is_new:
            return BegunWatch(watch, is_new=False)
        delivery = Delivery.FAILED
        try:
            link = await self._links.of_steam_id(watch.guild_id, watch.owner)
            detail = {"provider": watch.provider.value, "trade": watch.trade_id}
            await self._audit.view(AuditAction.WATCH_SET, watch.owner, link, detail, by=by.actor)
            message = self._messages.begin(watch, trade, is_own=_is_own(by, watch.owner))
            delivery = await self._within(message, _FIRST_WITHIN)
        finally:
            if delivery is not Delivery.SENT:
                await self._repository.remove(watch.id)
        if delivery is Delivery.REFUSED:
            raise DirectMessagesClosed
        if delivery is Delivery.FAILED:
            raise DiscordUnavailable
        return BegunWatch(watch, is_new=True)

    async def _read(self, reading: WatchedTrades) -> None:
        """Make one reading if it is time, and begin to tell what has changed."""
        now = self._clock.monotonic()
        if now < self._due.get(reading.name, now):
            return
        watches = await self._repository.of_provider(reading.name, at=self._clock.now())
        watches = tuple(
            watch for watch in watches if self._guilds.serves(watch.guild_id) and self._workers.leads(watch.guild_id)
        )
        if not watches:
            return
        self._due[reading.name] = now + READ_EVERY.total_seconds()
        try:
            with on_behalf_of(WATCHES):
                found = await reading.read(tuple(dict.fromkeys(watch.key for watch in watches)))
        except ProviderError as error:
            wait = max(READ_EVERY, error.failure.retry_after or READ_EVERY)
            self._due[reading.name] = now + wait.total_seconds()
            # It may be this account alone that the provider refuses: the next reading begins with another one.
            first = [watch.id for watch in watches if watch.owner == watches[0].owner]
            await self._repository.mark_read(first, at=self._clock.now())
            _log.info("watched trades not read provider=%s failure=%s", reading.name.value, error.failure.kind.value)
            return
        except Overloaded:
            _log.info("watched trades not read provider=%s: overloaded", reading.name.value)
            return
        for watch in watches:
            trade = found.get(watch.trade_id)
            if trade is None or trade.owner != watch.owner or standing_of(trade) == watch.standing:
                continue
            if not self._tasks.is_busy(watch.id):  # else a message waits for its turn; the next reading has the newest
                self._tasks.begin(watch.id, partial(self._tell, watch.id, altered(trade, code=None)))
        read = [watch.id for watch in watches if watch.trade_id in found]
        await self._repository.mark_read(read, at=self._clock.now())

    async def _tell(self, watch_id: int, trade: Trade) -> None:
        """Tell a change, unless the watch was stopped or its data erased meanwhile."""
        watch = await self._repository.get(watch_id)
        new = standing_of(trade)
        if watch is None or watch.standing == new or not self._workers.leads(watch.guild_id):
            return
        viewer = await self._viewer(watch)
        if not isinstance(viewer, Viewer):
            if viewer is Delivery.REFUSED:  # they left the server
                await self._repository.remove(watch.id)
            return
        if not _may_see(viewer, watch.owner):
            await self._repository.remove(watch.id)
            await self._tell_end(watch, WatchEnd.RIGHTS)
            return
        nonce, delivery = watch.nonce(new), Delivery.SENT
        if self._sent.get(watch.id) != nonce:
            is_own = _is_own(viewer, watch.owner)
            delivery = await self._within(self._messages.change(watch, trade, is_own=is_own, nonce=nonce))
        if delivery is Delivery.SENT:
            self._sent[watch.id] = nonce
        if delivery is Delivery.REFUSED or (delivery is Delivery.SENT and not trade.state.is_open):
            await self._repository.remove(watch.id)
        elif delivery is Delivery.SENT:
            await self._repository.mark_notified(watch.id, new, at=self._clock.now())

    async def _tell_end(self, watch: Watch, why: WatchEnd) -> None:
        """Tell that a watch ended before its trade did. Once at most: each message has said how long it is watched."""
        if self._guilds.serves(watch.guild_id):
            await self._within(self._messages.end(watch, why))

    async def _viewer(self, watch: Watch) -> Viewer | Delivery:
        """Return the user with the rights of @everyone if they are enough, or else with those of their roles."""
        everyone = frozenset({watch.guild_id})
        viewer = await self._access.viewer(Actor(watch.guild_id, watch.user_id, everyone))
        if _may_see(viewer, watch.owner):
            return viewer
        actor = await self._within(self._messages.actor(watch.guild_id, watch.user_id))
        return await self._access.viewer(actor) if isinstance(actor, Actor) else actor

    async def _within(self, call: Coroutine[Any, Any, T], seconds: float | None = None) -> T | Delivery:
        try:
            return await call_within(seconds or self._each_within, call)
        except TimeoutError:
            return Delivery.FAILED


def _of_trade(watches: Iterable[Watch], provider: ProviderName, trade_id: str) -> Watch | None:
    wanted = (provider, trade_id.casefold())
    return next((watch for watch in watches if (watch.provider, watch.trade_id.casefold()) == wanted), None)


def _is_own(viewer: Viewer, owner: SteamId) -> bool:
    return viewer.link is not None and viewer.link.steam_id == owner


def _may_see(viewer: Viewer, owner: SteamId) -> bool:
    held = viewer.capabilities
    return Capability.TRADES_ANY in held or (Capability.TRADES_OWN in held and _is_own(viewer, owner))
