"""Stores answers as snapshots, so that a pager can show their pages, and only to their reader."""

import asyncio
import logging
import secrets
from collections.abc import Callable, MutableMapping
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.access import Actor, Capability, Viewer, is_staff
from bot.domain.errors import (
    AccessDenied,
    NotYourPage,
    PageExpired,
    ProviderError,
    QueryExpired,
)
from bot.domain.inventory import InventoryFilter
from bot.domain.snapshots import Audience, InventoryAnswer, Snapshot, TradesAnswer, TradesView
from bot.domain.steam import SteamId
from bot.domain.trades import Scope
from bot.ports import Clock, SnapshotRepository
from bot.services.access import AccessService
from bot.services.inventory import InventoryRequest, InventoryService
from bot.services.shared_cache import SharedCache
from bot.services.trades import TradeService, TradesRequest

_log = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=24)
"""The lifetime of a snapshot."""

SAVED_WITHIN = timedelta(milliseconds=50)
"""How long a snapshot waits for others to be saved with it. It is lost only if the process is killed meanwhile."""

_MAX_IN_MEMORY = 100
_MAX_ROWS_IN_MEMORY = 20_000
"""Items and trades of all snapshots in memory: a hundred large inventories would take a gigabyte."""
_READERS_ROWS = _MAX_ROWS_IN_MEMORY // 4
"""Those of one reader, or one larger snapshot: the others are loaded from the repository again."""

_MAX_QUERIES = 5_000
_READERS_QUERIES = 60
"""As many as the repository keeps snapshots of one of the staff."""


@dataclass(frozen=True, slots=True)
class _Query:
    """The request that a user's snapshot answers."""

    guild_id: int
    user_id: int
    request: InventoryRequest | TradesRequest


class SnapshotService:
    """Snapshots: the recent ones in memory, all of them in the repository until they expire.

    If other processes share the repository, only those that are not stored yet are in memory: a click in another
    process may have sorted them, or their reader may have erased their data there.

    Requests may hold a trade token and stay in memory, so a snapshot cannot be refreshed after a restart.
    """

    def __init__(
        self,
        *,
        repository: SnapshotRepository,
        inventory: InventoryService,
        trades: TradeService,
        access: AccessService,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._inventory = inventory
        self._trades = trades
        self._access = access
        self._clock = clock
        seconds = KEPT_FOR.total_seconds()
        self._recent: SharedCache[str, Snapshot] = SharedCache(
            _MAX_ROWS_IN_MEMORY, seconds, clock.monotonic, share=_READERS_ROWS, owner_of=_reader, getsizeof=_size
        )
        self._queries: SharedCache[str, _Query] = SharedCache(
            _MAX_QUERIES, seconds, clock.monotonic, share=_READERS_QUERIES, owner_of=_reader
        )
        self._unsaved: dict[str, Snapshot] = {}
        self._saving: asyncio.Task[None] | None = None
        self._erasures = 0

    async def audience_of(self, actor: Actor) -> Audience:
        """Return the audience that an answer to the actor is written for."""
        return _audience(await self._access.capabilities_of(actor))

    async def look_up(self, request: InventoryRequest, *, by: Actor) -> Snapshot:
        """Look an inventory up and open its snapshot; ProviderError if the only provider asked failed.

        If one of several providers fails, its part of the answer has a reference for the log.
        """
        viewer = await self._access.viewer(by)
        answer = await self._inventory.look_up(request, by=viewer)
        return await self._open_inventory(request, answer, by=viewer)

    async def list_trades(self, request: TradesRequest, *, by: Actor) -> Snapshot:
        """List trades and open their snapshot; the errors are those of ``TradeService.list_for``."""
        viewer = await self._access.viewer(by)
        answer = await self._trades.list_for(request, by=viewer)
        return await self.open(answer, by=viewer, request=request)

    async def refresh(self, snapshot_id: str, *, by: Actor, scope: Scope | None = None) -> Snapshot:
        """Ask again what a snapshot answers and open the new snapshot; QueryExpired after a restart.

        A provider that was asked for an inventory within the last two minutes shows what it read then. Trades can be
        asked for in another ``scope``.
        """
        viewer = await self._access.viewer(by)
        snapshot = await self._load(snapshot_id, by=viewer)
        query = self._queries.get(snapshot_id)
        if query is None:
            raise QueryExpired
        if isinstance(query.request, TradesRequest):
            trades_request = replace(query.request, scope=scope or query.request.scope)
            listed = await self._trades.list_for(trades_request, by=viewer)
            return await self.open(listed, by=viewer, request=trades_request, replaces=snapshot)
        request = replace(query.request, refresh=True)
        answer = await self._inventory.look_up(request, by=viewer)
        return await self._open_inventory(request, answer, by=viewer, replaces=snapshot)

    async def open(
        self,
        answer: InventoryAnswer | TradesAnswer,
        *,
        by: Viewer,
        request: InventoryRequest | TradesRequest | None = None,
        replaces: Snapshot | None = None,
    ) -> Snapshot:
        """Store an answer as a snapshot of its viewer, and the request for refreshes; AccessDenied as :meth:`load`.

        A snapshot that replaces another one takes over its view, not its id: a menu of the old page opens old items.
        """
        by = await self._access.viewer(by.actor)  # rights and links may have changed during the lookup
        _check(answer, by)
        guild_id, user_id = by.actor.guild_id, by.actor.user_id
        if replaces is not None:  # its reader may have changed the view during the lookup
            replaces = await self._find(guild_id, replaces.id) or replaces
        now = self._clock.now()
        snapshot = Snapshot(
            id=secrets.token_urlsafe(9),
            guild_id=guild_id,
            user_id=user_id,
            audience=_audience(by.capabilities),
            answer=_for_viewer(answer, by, now),
            created_at=now,
            expires_at=now + KEPT_FOR,
        ).with_view(replaces.view if replaces is not None else None)
        if request is not None:
            self._queries[snapshot.id] = _Query(guild_id, user_id, request)
        self._unsaved[snapshot.id] = snapshot
        self._remember(snapshot)
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save(), context=Context())
        return snapshot

    async def load(self, snapshot_id: str, *, by: Actor) -> Snapshot:
        """Return a snapshot to its reader.

        PageExpired if it is not stored any more, NotYourPage for another reader, AccessDenied if the reader may no
        longer see it.
        """
        return await self._load(snapshot_id, by=await self._access.viewer(by))

    async def apply_view(
        self, snapshot_id: str, change: Callable[[InventoryFilter], InventoryFilter], *, by: Actor
    ) -> Snapshot:
        """Change how an inventory is sorted and filtered, after a restart too; the errors are those of :meth:`load`."""
        loaded = await self.load(snapshot_id, by=by)
        return await self._set_view(loaded, loaded.with_view(change(loaded.current_view)))

    async def show_trades(self, snapshot_id: str, view: TradesView | None, *, by: Actor) -> Snapshot:
        """Change which trades are shown, after a restart too; the errors are those of :meth:`load`."""
        loaded = await self.load(snapshot_id, by=by)
        return await self._set_view(loaded, loaded.with_view(view))

    def evict(self, guild_id: int, user_id: int) -> None:
        """Remove a user's snapshots and requests in a guild from memory."""
        self._erasures += 1
        stores: tuple[MutableMapping[str, Any], ...] = (self._recent, self._unsaved, self._queries)
        for store in stores:
            for key, stored in list(store.items()):
                if (stored.guild_id, stored.user_id) == (guild_id, user_id):
                    del store[key]

    async def purge(self) -> None:
        """Remove what has expired, and from memory what was erased in another process."""
        self._queries.expire()
        saved = self._queries.keys() - self._unsaved.keys()
        stored = await self._repository.purge(at=self._clock.now())
        if self._repository.is_shared:
            for snapshot_id in saved - stored:
                self._queries.pop(snapshot_id, None)

    async def saved(self) -> None:
        """Wait until every snapshot opened so far is saved, or could not be."""
        opened = frozenset(self._unsaved)
        # The task is done without having saved if it was cancelled with the event loop.
        while self._saving is not None and not self._saving.done() and not opened.isdisjoint(self._unsaved):
            await asyncio.wait({self._saving})

    async def _open_inventory(
        self, request: InventoryRequest, answer: InventoryAnswer, *, by: Viewer, replaces: Snapshot | None = None
    ) -> Snapshot:
        if len(answer.answers) == 1 and (failure := answer.answers[0].failure) is not None:
            raise ProviderError(failure)
        parts = tuple(
            part if part.failure is None else replace(part, reference=secrets.token_hex(3)) for part in answer.answers
        )
        return await self.open(replace(answer, answers=parts), by=by, request=request, replaces=replaces)

    async def _set_view(self, loaded: Snapshot, viewed: Snapshot) -> Snapshot:
        self._remember(replace(self._recent.get(loaded.id, loaded), view=viewed.view))
        if (unsaved := self._unsaved.get(loaded.id)) is not None:
            self._unsaved[loaded.id] = replace(unsaved, view=viewed.view)
        else:
            await self._repository.set_view(loaded.guild_id, loaded.id, viewed.view)
        return viewed

    async def _load(self, snapshot_id: str, *, by: Viewer) -> Snapshot:
        snapshot = await self._find(by.actor.guild_id, snapshot_id)
        if snapshot is None or snapshot.expires_at <= self._clock.now():
            raise PageExpired
        if snapshot.user_id != by.actor.user_id:
            raise NotYourPage
        _check(snapshot.answer, by)
        self._remember(snapshot)
        answer = _for_viewer(snapshot.answer, by, self._clock.now())
        return replace(snapshot, answer=answer, audience=_audience(by.capabilities))

    def _remember(self, snapshot: Snapshot) -> None:
        if not self._repository.is_shared:
            self._recent[snapshot.id] = snapshot

    async def _find(self, guild_id: int, snapshot_id: str) -> Snapshot | None:
        snapshot = self._recent.get(snapshot_id) or self._unsaved.get(snapshot_id)
        if snapshot is None:
            erasures = self._erasures
            snapshot = await self._repository.load(guild_id, snapshot_id, at=self._clock.now())
            if erasures != self._erasures:  # it may have been erased while it was read
                return await self._find(guild_id, snapshot_id)
            snapshot = self._recent.get(snapshot_id, snapshot)  # another click may have changed the view meanwhile
        return snapshot if snapshot is not None and snapshot.guild_id == guild_id else None

    async def _save(self) -> None:
        await asyncio.sleep(SAVED_WITHIN.total_seconds())
        batch = tuple(self._unsaved.values())
        try:
            await self._repository.save(*batch)
            for snapshot in batch:
                if snapshot.id not in self._unsaved:  # erased while it was being saved
                    await self._repository.remove(snapshot.guild_id, snapshot.id)
        except Exception as error:  # noqa: BLE001 -- the page works from memory; it is lost with the process
            _log.warning("snapshots not saved count=%s error=%s", len(batch), type(error).__name__)
        for snapshot in batch:
            if self._unsaved.get(snapshot.id) is snapshot:  # else its view was changed meanwhile
                del self._unsaved[snapshot.id]
        self._saving = asyncio.create_task(self._save(), context=Context()) if self._unsaved else None


def _reader(_: str, kept: Snapshot | _Query) -> tuple[int, int]:
    return kept.guild_id, kept.user_id


def _size(snapshot: Snapshot) -> int:
    answer = snapshot.answer
    rows = answer.row_count if isinstance(answer, TradesAnswer) else answer.item_count
    return min(max(rows, _MAX_ROWS_IN_MEMORY // _MAX_IN_MEMORY), _MAX_ROWS_IN_MEMORY)


def _for_viewer(
    answer: InventoryAnswer | TradesAnswer, viewer: Viewer, now: datetime
) -> InventoryAnswer | TradesAnswer:
    """Return an answer as its viewer may see it now.

    The merchant's prices are for holders of ``inventory.any``, a trade's code for its owner.
    """
    if isinstance(answer, TradesAnswer):
        return answer.for_reader(viewer.link, now, sees_all=Capability.TRADES_ANY in viewer.capabilities)
    if Capability.INVENTORY_ANY in viewer.capabilities:
        return answer
    return answer.without_merchant_prices()


def _check(answer: InventoryAnswer | TradesAnswer, viewer: Viewer) -> None:
    """Raise AccessDenied if the viewer may not see an answer."""
    owner: SteamId | None
    if isinstance(answer, InventoryAnswer):
        any_account, own, owner = Capability.INVENTORY_ANY, Capability.INVENTORY_OWN, answer.owner
    else:
        any_account, own, owner = Capability.TRADES_ANY, Capability.TRADES_OWN, answer.steam_id
    if any_account in viewer.capabilities:
        return
    if own not in viewer.capabilities:
        raise AccessDenied(own)
    if owner is None or viewer.link is None or viewer.link.steam_id != owner:
        raise AccessDenied(any_account)


def _audience(held: frozenset[Capability]) -> Audience:
    return Audience.STAFF if is_staff(held) else Audience.CUSTOMER
