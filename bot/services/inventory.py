"""Looks inventories up: whose may be seen, at which provider, from memory or afresh, within a deadline."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.access import Actor, Caller, Capability, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import AccessDenied, GameNotOffered, InvalidInput, NotLinked, ProviderError, ProviderOff, TooSoon
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery, Sort
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.domain.trade_url import parse_trade_url
from bot.ports import Clock, InventoryProvider, LinkRepository
from bot.services.access import AccessService
from bot.services.links import LinkService
from bot.services.record import RecordService
from bot.worker import MANY_ITEMS, run_in_worker

KEPT_FOR = timedelta(minutes=15)
"""As long as AssetPay keeps an inventory itself (seed 001)."""

REFRESH_COOLDOWN = timedelta(minutes=2)
"""Refreshing on every look is what providers ask not to do (seed 002)."""

_MAX_KEPT = 1_000
_MAX_ITEMS_KEPT = 100_000
_ALL = "all"


@dataclass(frozen=True, slots=True)
class InventoryRequest:
    """What the caller typed. ``provider`` is a provider's name, ``all``, or None for the default one."""

    trade_url: str = field(repr=False)
    provider: str | None = None
    game: Game = Game.CS2
    search: str | None = None
    sort: Sort = Sort.RELEVANCE
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    refresh: bool = False

    def filter(self) -> InventoryFilter:
        """Return the options that choose and order items; InvalidInput where they contradict themselves."""
        return InventoryFilter.of(
            search=self.search, sort=self.sort, min_price=self.min_price, max_price=self.max_price
        )


_Key = tuple[ProviderName, SteamId, Game, InventoryFilter | None]
_Call = tuple[_Key, TradeUrl]
"""What makes two lookups under way the same: one account may be asked for with a right token and a wrong one."""


@dataclass(slots=True)
class _UnderWay:
    """A provider being asked. ``is_outdated`` once a refresh knows better, or the account was forgotten."""

    call: _Call
    refreshes: bool
    is_outdated: bool = False


class InventoryService:
    """Inventories of the linked account for everybody, of any account for holders of ``inventory.any``."""

    def __init__(
        self,
        *,
        providers: tuple[InventoryProvider, ...],
        default: ProviderName | None,
        access: AccessService,
        links: LinkService,
        link_rows: LinkRepository,
        record: RecordService,
        clock: Clock,
        deadline: timedelta = timedelta(seconds=14),
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._default = default
        self._access = access
        self._links = links
        self._link_rows = link_rows
        self._record = record
        self._clock = clock
        self._deadline = deadline
        self._kept: OrderedDict[_Key, tuple[datetime, Inventory]] = OrderedDict()
        self._items_kept = 0
        self._refreshed: dict[tuple[ProviderName, SteamId, Game], datetime] = {}
        self._under_way: dict[asyncio.Task[Inventory], _UnderWay] = {}
        self._to_join: dict[_Call, asyncio.Task[Inventory]] = {}

    @property
    def provider_names(self) -> tuple[ProviderName, ...]:
        """The inventory providers that are on."""
        return tuple(self._providers)

    def use_default(self, provider: ProviderName | None) -> None:
        """Ask this provider from now on where nobody names one."""
        self._default = provider

    async def look_up(self, request: InventoryRequest, *, by: Actor) -> InventoryAnswer:
        """Return what the chosen providers would pay; a provider that fails is part of the answer.

        Needs ``inventory.any``, or ``inventory.own`` for the account linked to the caller.
        """
        held = await self._access.capabilities_of(by)
        if held.isdisjoint({Capability.INVENTORY_ANY, Capability.INVENTORY_OWN}):
            raise AccessDenied(Capability.INVENTORY_OWN)
        trade_url = parse_trade_url(request.trade_url)
        if Capability.INVENTORY_ANY not in held:
            own = await self._links.steam_id_of(by)
            if own is None:
                raise NotLinked
            if own != trade_url.steam_id:
                raise AccessDenied(Capability.INVENTORY_ANY)
        chosen = self._choose(request)
        narrowing = request.filter()
        if request.refresh:
            self._check_refresh(chosen, InventoryQuery(trade_url, request.game, narrowing, refresh=True))
        with on_behalf_of(Caller(by.user_id, is_staff=is_staff(held))):
            asking = [self._ask(provider, trade_url, narrowing, request) for provider in chosen]
            answers = [await asking[0]] if len(asking) == 1 else await asyncio.gather(*asking)
        if request.refresh:
            for part in answers:
                if part.failure is not None:  # nothing was read anew, so the next one need not wait
                    self._refreshed.pop((part.provider, trade_url.steam_id, request.game), None)
        if any(map(_tells_something, answers)):
            detail = {"game": request.game.word, "provider": ",".join(provider.name.value for provider in chosen)}
            await self._record.look(AuditAction.INVENTORY_VIEWED, trade_url.steam_id, detail, by=by)
        link = await self._link_rows.of_steam_id(by.guild_id, trade_url.steam_id)
        return InventoryAnswer(
            owner=trade_url.steam_id,
            game=request.game,
            filter=narrowing,
            answers=tuple(answers),
            linked_user_id=link.user_id if link is not None else None,
        )

    def forget(self, account: SteamId) -> None:
        """Drop an account's inventories from memory; an answer that is still on its way is not kept either."""
        for key in [kept for kept in self._kept if kept[1] == account]:
            self._drop(key)
        for under_way in self._under_way.values():
            under_way.is_outdated |= under_way.call[0][1] == account

    def next_refresh(self, answer: InventoryAnswer) -> datetime | None:
        """Return when what an answer shows can be read anew again, None where that is now."""
        now = self._clock.now()
        keys = [(part.provider, answer.owner, answer.game) for part in answer.answers]
        return max((until for key in keys if (until := self._refreshed.get(key, now)) > now), default=None)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = tuple(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check_refresh(self, chosen: tuple[InventoryProvider, ...], query: InventoryQuery) -> None:
        """Allow one refresh in two minutes for each provider, account and game; TooSoon otherwise.

        Whoever asks the same while a refresh is under way waits for its answer.
        """
        now = self._clock.now()
        self._refreshed = {what: until for what, until in self._refreshed.items() if until > now}
        wanted = [
            (provider.name, query.trade_url.steam_id, query.game)
            for provider in chosen
            if self._joinable(_call(provider, query), refresh=True) is None
        ]
        waits = [self._refreshed[what] for what in wanted if what in self._refreshed]
        if waits:
            raise TooSoon(max(waits))
        self._refreshed.update(dict.fromkeys(wanted, now + REFRESH_COOLDOWN))

    def _choose(self, request: InventoryRequest) -> tuple[InventoryProvider, ...]:
        if not self._providers:
            raise ProviderOff(None)
        if request.provider == _ALL:
            having = tuple(provider for provider in self._providers.values() if request.game in provider.games)
            if not having:
                raise GameNotOffered(next(iter(self._providers)), request.game)
            return having
        name = self._default if request.provider is None else _provider_name(request.provider)
        if name is None or name not in self._providers:
            raise ProviderOff(name)
        provider = self._providers[name]
        if request.game not in provider.games:
            raise GameNotOffered(name, request.game)
        return (provider,)

    async def _ask(
        self, provider: InventoryProvider, trade_url: TradeUrl, narrowing: InventoryFilter, request: InventoryRequest
    ) -> ProviderAnswer:
        query = InventoryQuery(trade_url, request.game, narrowing, request.refresh)
        known = await self._known(provider, query)
        if known is not None:
            return ProviderAnswer(provider.name, inventory=known)
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                inventory = await self._asked(provider, query)
        except ProviderError as error:
            return ProviderAnswer(provider.name, failure=error.failure)
        except TimeoutError:
            failure = Failure(provider.name, FailureKind.TIMED_OUT, took=self._deadline)
            return ProviderAnswer(provider.name, failure=failure)
        return ProviderAnswer(provider.name, inventory=inventory)

    async def _known(self, provider: InventoryProvider, query: InventoryQuery) -> Inventory | None:
        """Answer from memory where that holds the whole inventory or this very question."""
        if query.refresh:
            return None
        everything = self._recall(_key(provider, query, InventoryFilter()))
        # Of an inventory that came in part, the provider alone knows what matches.
        if everything is not None and everything.total <= len(everything.items):
            return await _narrowed(everything, query.filter)
        return self._recall(_key(provider, query, query.filter))

    async def _asked(self, provider: InventoryProvider, query: InventoryQuery) -> Inventory:
        """Ask the provider, or wait with whoever is asking it the same already."""
        call = _call(provider, query)
        task = self._joinable(call, refresh=query.refresh)
        joins = task is not None
        if task is None:
            under_way = _UnderWay(call, query.refresh)
            task = asyncio.create_task(self._ask_and_keep(provider, query, under_way))
            self._under_way[task] = under_way
            self._to_join[call] = task
            task.add_done_callback(self._forget)
        try:
            # Shielded: the first caller going away fails nobody who waits for the same answer.
            return await asyncio.shield(task)
        except ProviderError as error:
            if not joins or error.failure.kind is not FailureKind.RATE_LIMITED_LOCALLY:
                raise
        # Whoever began the call had spent their part of the provider's limit; that says nothing about this one's.
        return await self._known(provider, query) or await self._asked(provider, query)

    def _joinable(self, call: _Call, *, refresh: bool) -> asyncio.Task[Inventory] | None:
        """Return who is asking the provider this very question and would get no older an answer than is wanted."""
        task = self._to_join.get(call)
        return None if task is None or (refresh and not self._under_way[task].refreshes) else task

    def _outdate(self, key: _Key) -> None:
        """Have nobody join what is under way for this account and game, whatever it looks for, nor its answer kept."""
        for task, under_way in self._under_way.items():
            if under_way.call[0][:3] == key[:3]:
                under_way.is_outdated = True
                if self._to_join.get(under_way.call) is task:
                    del self._to_join[under_way.call]

    async def _ask_and_keep(
        self, provider: InventoryProvider, query: InventoryQuery, under_way: _UnderWay
    ) -> Inventory:
        inventory = await provider.look_up(query)
        if not under_way.is_outdated:
            key = under_way.call[0]
            if query.refresh:  # what is still under way, begun before it or after, may be answered from before it
                self._outdate(key)
            self._keep(key, inventory, refreshed=query.refresh)
        return inventory

    def _keep(self, key: _Key, inventory: Inventory, *, refreshed: bool) -> None:
        """Remember an answer, within bounds: what is oldest, and so expires first, goes first."""
        if refreshed:
            for stale in [kept for kept in self._kept if kept[:3] == key[:3]]:
                self._drop(stale)
        now = self._clock.now()
        self._drop(key)
        self._kept[key] = (now + KEPT_FOR, inventory)
        self._items_kept += len(inventory.items)
        while len(self._kept) > 1:
            oldest, (until, _) = next(iter(self._kept.items()))
            if until > now and len(self._kept) <= _MAX_KEPT and self._items_kept <= _MAX_ITEMS_KEPT:
                return
            self._drop(oldest)

    def _drop(self, key: _Key) -> None:
        if key in self._kept:
            _, dropped = self._kept.pop(key)
            self._items_kept -= len(dropped.items)

    def _recall(self, key: _Key) -> Inventory | None:
        until, inventory = self._kept.get(key, (None, None))
        if until is None or inventory is None:
            return None
        if self._clock.now() >= until:
            self._drop(key)
            return None
        return inventory

    def _forget(self, done: asyncio.Task[Inventory]) -> None:
        call = self._under_way.pop(done).call
        if self._to_join.get(call) is done:
            del self._to_join[call]
        if not done.cancelled():
            done.exception()  # looked at, so that a failure nobody waits for any more is not reported as lost


async def _narrowed(inventory: Inventory, by: InventoryFilter) -> Inventory:
    if by == InventoryFilter() or len(inventory.items) < MANY_ITEMS:
        return inventory.filtered(by)
    return await run_in_worker(inventory.filtered, by)


def _key(provider: InventoryProvider, query: InventoryQuery, narrowing: InventoryFilter) -> _Key:
    nothing = narrowing == InventoryFilter()
    return provider.name, query.trade_url.steam_id, query.game, None if nothing else narrowing


def _call(provider: InventoryProvider, query: InventoryQuery) -> _Call:
    return _key(provider, query, query.filter), query.trade_url


def _tells_something(part: ProviderAnswer) -> bool:
    """Say whether a part of an answer is about the account: its items, or why the provider refuses them."""
    return part.inventory is not None or (part.failure is not None and part.failure.kind is FailureKind.REFUSED)


def _provider_name(word: str) -> ProviderName:
    try:
        return ProviderName(word)
    except ValueError:
        raise InvalidInput("provider", "unknown") from None
