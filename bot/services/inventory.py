"""Looks inventories up at the providers, with a cache, shared lookups and a deadline."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from cachetools import TTLCache

from bot.domain.access import Caller, Capability, Viewer, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    GameNotOffered,
    InvalidInput,
    NotLinked,
    Overloaded,
    ProviderError,
    ProviderOff,
    TradeUrlRejected,
    is_callers_own,
)
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery, Sort
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.domain.trade_url import parse_trade_url
from bot.ports import Clock, InventoryProvider, LinkRepository
from bot.services.audit import AuditService
from bot.services.shared_cache import SharedCache
from bot.services.trade_url_hints import TradeUrlHint, TradeUrlHints
from bot.single_flight import SingleFlight
from bot.worker import MANY_ITEMS, run_in_worker

CACHED_FOR = timedelta(minutes=15)
"""AssetPay caches an inventory for as long (seed 001)."""

REFRESH_COOLDOWN = timedelta(minutes=2)
"""Providers ask not to refresh with every lookup (seed 002)."""

_MAX_CACHED = 1_000
_MAX_ITEMS_CACHED = 100_000
_ACCOUNTS_ITEMS = _MAX_ITEMS_CACHED // 4
"""The items of one account at all providers, with all filters, unless one inventory has more."""
_MAX_REFRESHED = 10_000


@dataclass(frozen=True, slots=True)
class InventoryRequest:
    """The options of ``/inventory``. ``provider`` is a provider's name, ``all``, or None for the default one."""

    trade_url: str = field(repr=False)
    provider: str | None = None
    game: Game = Game.CS2
    search: str | None = None
    sort: Sort = Sort.RELEVANCE
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    refresh: bool = False


class _Account(NamedTuple):
    provider: ProviderName
    steam_id: SteamId
    game: Game


class _Flight(NamedTuple):
    """A lookup in flight. Trade URLs of one account differ in their token, which may be wrong."""

    account: _Account
    filter: InventoryFilter
    trade_url: TradeUrl
    refresh: bool


class InventoryService:
    """Inventories: of the linked account with ``inventory.own``, of any account with ``inventory.any``."""

    def __init__(
        self,
        *,
        providers: tuple[InventoryProvider, ...],
        default: ProviderName | None,
        links: LinkRepository,
        audit: AuditService,
        hints: TradeUrlHints,
        clock: Clock,
        deadline: timedelta = timedelta(seconds=14),
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._default = default
        self._links = links
        self._audit = audit
        self._hints = hints
        self._clock = clock
        # Above the deadline of one read: a caller who joined another's lookup may still have to begin their own.
        self._deadline = deadline
        self._cache: SharedCache[tuple[_Account, InventoryFilter], Inventory] = SharedCache(
            _MAX_ITEMS_CACHED,
            CACHED_FOR.total_seconds(),
            clock.monotonic,
            share=_ACCOUNTS_ITEMS,
            owner_of=lambda key, _: key[0].steam_id,
            getsizeof=_size,
        )
        self._refreshed: TTLCache[_Account, float, float] = TTLCache(
            _MAX_REFRESHED, REFRESH_COOLDOWN.total_seconds(), clock.monotonic
        )
        """When each account was refreshed."""
        self._flights = SingleFlight[_Flight, Inventory](is_starters_own=is_callers_own)

    @property
    def provider_names(self) -> tuple[ProviderName, ...]:
        """The inventory providers that are on."""
        return tuple(self._providers)

    def use_default(self, provider: ProviderName | None) -> None:
        """Change the default provider."""
        self._default = provider

    async def look_up(self, request: InventoryRequest, *, by: Viewer) -> InventoryAnswer:
        """Look an inventory up at the requested providers; a provider that fails is part of the answer."""
        if by.capabilities.isdisjoint({Capability.INVENTORY_ANY, Capability.INVENTORY_OWN}):
            raise AccessDenied(Capability.INVENTORY_OWN)
        try:
            trade_url = parse_trade_url(request.trade_url)
        except TradeUrlRejected as rejected:
            rejected.has_to_be_own = Capability.INVENTORY_ANY not in by.capabilities
            raise
        if Capability.INVENTORY_ANY not in by.capabilities:
            if by.link is None:
                raise NotLinked
            if by.link.steam_id != trade_url.steam_id:
                raise AccessDenied(Capability.INVENTORY_ANY)
        providers = self._select(request)
        wanted = InventoryFilter.of(
            search=request.search, sort=request.sort, min_price=request.min_price, max_price=request.max_price
        )
        query = InventoryQuery(trade_url, request.game, wanted, request.refresh)
        ends = asyncio.get_running_loop().time() + self._deadline.total_seconds()
        hint = self._hints.of(trade_url, ends=ends)
        with on_behalf_of(Caller(by.actor.user_id, is_staff=is_staff(by.capabilities))):
            asking = [self._ask(provider, self._begin_refresh(provider, query), hint) for provider in providers]
            answers = [await asking[0]] if len(asking) == 1 else await asyncio.gather(*asking)
        link = await self._links.of_steam_id(by.actor.guild_id, trade_url.steam_id)
        # A refusal tells something about the account, too; other failures do not.
        if any(part.failure is None or part.failure.kind is FailureKind.REFUSED for part in answers):
            detail = {"game": query.game.word, "provider": ",".join(provider.name.value for provider in providers)}
            await self._audit.view(AuditAction.INVENTORY_VIEWED, trade_url.steam_id, link, detail, by=by.actor)
        return InventoryAnswer(
            owner=trade_url.steam_id,
            game=query.game,
            filter=query.filter,
            answers=tuple(answers),
            linked_user_id=link.user_id if link is not None else None,
        )

    def evict(self, account: SteamId) -> None:
        """Remove an account's inventories from memory; lookups in flight are not cached either."""
        self._evict(lambda cached: cached.steam_id == account)

    def next_refresh(self, answer: InventoryAnswer) -> datetime | None:
        """Return when the answer's account may be refreshed at all its providers; None: now."""
        accounts = [_Account(part.provider, answer.owner, answer.game) for part in answer.answers]
        refreshed = max((at for one in accounts if (at := self._refreshed.get(one)) is not None), default=None)
        if refreshed is None:
            return None
        return self._clock.now() + REFRESH_COOLDOWN - timedelta(seconds=self._clock.monotonic() - refreshed)

    async def close(self) -> None:
        """Cancel the lookups in flight."""
        await self._flights.close()

    def _begin_refresh(self, provider: InventoryProvider, query: InventoryQuery) -> InventoryQuery:
        """Return the query for one provider: without the refresh if the account was refreshed within REFRESH_COOLDOWN.

        It is then answered with what that refresh read. A refresh that is in flight can always be joined.
        """
        flight = _flight(provider, query)
        if not query.refresh or flight in self._flights:
            return query
        if flight.account in self._refreshed:
            return replace(query, refresh=False)
        self._refreshed[flight.account] = self._clock.monotonic()
        return query

    def _select(self, request: InventoryRequest) -> tuple[InventoryProvider, ...]:
        if not self._providers:
            raise ProviderOff(None)
        if request.provider == "all":
            having = tuple(provider for provider in self._providers.values() if request.game in provider.games)
            if not having:
                raise GameNotOffered(next(iter(self._providers)), request.game)
            return having
        try:
            name = self._default if request.provider is None else ProviderName(request.provider)
        except ValueError:
            raise InvalidInput("provider", "unknown") from None
        if name is None or name not in self._providers:
            raise ProviderOff(name)
        provider = self._providers[name]
        if request.game not in provider.games:
            raise GameNotOffered(name, request.game)
        return (provider,)

    async def _ask(self, provider: InventoryProvider, query: InventoryQuery, hint: TradeUrlHint) -> ProviderAnswer:
        flight = _flight(provider, query)
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return ProviderAnswer(provider.name, inventory=await self._found(provider, query, flight))
        except ProviderError as error:
            failure = error.failure
        except Overloaded:
            failure = Failure(provider.name, FailureKind.BUSY)
        except TimeoutError:
            failure = Failure(provider.name, FailureKind.TIMED_OUT, took=self._deadline)
        if query.refresh:  # nothing was read, so the next refresh need not wait
            self._refreshed.pop(flight.account, None)
        return ProviderAnswer(provider.name, failure=await hint.added_to(failure))

    async def _found(self, provider: InventoryProvider, query: InventoryQuery, flight: _Flight) -> Inventory:
        """Return the matching inventory; if the provider's own search finds nothing, search in all items.

        Providers do not document how they compare: AssetPay may want the words in the order of the name.
        """
        found = await self._inventory(provider, query, flight)
        if found.items or query.filter.search is None:
            return found
        everything = replace(query, filter=InventoryFilter(), refresh=False)
        try:
            whole = await self._inventory(provider, everything, _flight(provider, everything))
        except ProviderError:
            return found
        return found if whole.is_partial else await _filtered(whole, query.filter)

    async def _inventory(self, provider: InventoryProvider, query: InventoryQuery, flight: _Flight) -> Inventory:
        """Return the inventory from the cache, from the same lookup in flight, or from the provider."""
        if not query.refresh:
            whole = self._cache.get((flight.account, InventoryFilter()))
            if whole is not None and not whole.is_partial:  # else only the provider knows all that matches
                return await _filtered(whole, query.filter)
            if (cached := self._cache.get((flight.account, query.filter))) is not None:
                return cached
            if (refreshing := flight._replace(refresh=True)) in self._flights:
                query, flight = replace(query, refresh=True), refreshing
        return await self._flights.run(flight, partial(self._fetch, provider, query, flight))

    async def _fetch(self, provider: InventoryProvider, query: InventoryQuery, flight: _Flight) -> Inventory:
        inventory = await provider.look_up(query)
        if self._flights.is_current(flight):
            if query.refresh:  # other lookups in flight may be answered from before it
                self._evict(lambda account: account == flight.account)
            self._cache[flight.account, flight.filter] = inventory
        return inventory

    def _evict(self, matches: Callable[[_Account], bool]) -> None:
        self._flights.discard(lambda flight: matches(flight.account))
        for key in [key for key in self._cache if matches(key[0])]:
            self._cache.pop(key, None)


async def _filtered(whole: Inventory, by: InventoryFilter) -> Inventory:
    if by == InventoryFilter() or len(whole.items) < MANY_ITEMS:
        return whole.filtered(by)
    return await run_in_worker(whole.filtered, by)


def _size(inventory: Inventory) -> int:
    return min(max(len(inventory.items), _MAX_ITEMS_CACHED // _MAX_CACHED), _MAX_ITEMS_CACHED)


def _flight(provider: InventoryProvider, query: InventoryQuery) -> _Flight:
    account = _Account(provider.name, query.trade_url.steam_id, query.game)
    return _Flight(account, query.filter, query.trade_url, query.refresh)
