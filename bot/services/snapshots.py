"""Keeps what pagers turn, and lets nobody else turn it."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.access import Actor, Capability, is_staff
from bot.domain.errors import (
    AccessDenied,
    NotYourPage,
    PageExpired,
    ProviderError,
    QueryExpired,
    TooSoon,
)
from bot.domain.inventory import InventoryFilter
from bot.domain.masking import mask_trade_urls
from bot.domain.snapshots import Audience, InventoryAnswer, PageTooFresh, Snapshot, TradesAnswer
from bot.domain.steam import SteamId
from bot.ports import Clock, SnapshotRepository
from bot.services.access import AccessService
from bot.services.inventory import InventoryRequest, InventoryService
from bot.services.links import LinkService

_log = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=24)
"""How long a pager can be turned."""

SAVED_WITHIN = timedelta(milliseconds=50)
"""How long a snapshot waits for others, to be written with them; it is not lost unless the program is killed then."""

_MAX_IN_MEMORY = 100
_MAX_ROWS_IN_MEMORY = 20_000
"""Items and trades of all of them together: a hundred large inventories would be a gigabyte."""

_MAX_QUESTIONS = 2_000


@dataclass(slots=True)
class _Asked:
    """What a snapshot of ``reader``, a guild's and a user's id, answers, and which one took its place."""

    until: datetime
    reader: tuple[int, int]
    question: InventoryRequest
    successor: str | None = None


class SnapshotService:
    """Snapshots behind pagers: the newest in memory, all of them in the repository until they expire.

    What was asked holds a trade token, so it is in memory alone: a snapshot of an earlier run cannot ask again.
    """

    def __init__(
        self,
        *,
        repository: SnapshotRepository,
        inventory: InventoryService,
        access: AccessService,
        links: LinkService,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._inventory = inventory
        self._access = access
        self._links = links
        self._clock = clock
        self._recent: OrderedDict[str, Snapshot] = OrderedDict()
        self._rows_in_memory = 0
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._unsaved: dict[str, Snapshot] = {}
        self._saving: asyncio.Task[None] | None = None
        self._forgettings = 0

    async def audience_of(self, actor: Actor) -> Audience:
        """Return whom an answer to the actor is worded for."""
        return _audience(await self._access.capabilities_of(actor))

    async def look_up(self, request: InventoryRequest, *, by: Actor, instead_of: Snapshot | None = None) -> Snapshot:
        """Look an inventory up and open its snapshot; ProviderError if the only provider asked failed.

        If one of several providers fails, its part of the answer has a reference for the log.
        """
        answer = await self._inventory.look_up(request, by=by)
        return await self._open_inventory(request, answer, by=by, instead_of=instead_of)

    async def refresh(self, snapshot_id: str, *, by: Actor) -> Snapshot:
        """Look a snapshot's inventory up again at its providers and open the new snapshot.

        If it is too soon for that, return what somebody else's refresh has read since; PageTooFresh, with the newest
        snapshot there is, if nothing is newer.
        """
        snapshot = await self.turn(snapshot_id, by=by)
        request = replace(self.query_of(snapshot), refresh=False)
        try:
            return await self.look_up(replace(request, refresh=True), by=by, instead_of=snapshot)
        except TooSoon as error:
            newest = await self.turn(self.newest(snapshot.id), by=by)
            answer = await self._inventory.look_up(request, by=by)
            known, found = _inventory_of(newest).updated_at, answer.updated_at
            if found is None or (known is not None and found <= known):
                raise PageTooFresh(error.until, newest) from None
            return await self._open_inventory(request, answer, by=by, instead_of=newest)

    async def _open_inventory(
        self, request: InventoryRequest, answer: InventoryAnswer, *, by: Actor, instead_of: Snapshot | None
    ) -> Snapshot:
        if len(answer.answers) == 1 and (failure := answer.answers[0].failure) is not None:
            raise ProviderError(failure)
        parts = tuple(
            part if part.failure is None else replace(part, reference=secrets.token_hex(3)) for part in answer.answers
        )
        return await self.open(replace(answer, answers=parts), by=by, question=request, instead_of=instead_of)

    async def open(
        self,
        answer: InventoryAnswer | TradesAnswer,
        *,
        by: Actor,
        question: InventoryRequest | None = None,
        instead_of: Snapshot | None = None,
    ) -> Snapshot:
        """Keep an answer for its caller to turn, and the question it answers for them to ask again.

        Where it takes the place of another it is sorted and narrowed like that one is now, but has an id of its own: a
        menu that still shows the other one's items leads to those.
        """
        if instead_of is not None:  # while the answer was on its way its reader may have sorted it
            instead_of = await self._kept(by.guild_id, instead_of.id) or instead_of
        now = self._clock.now()
        snapshot = Snapshot(
            id=secrets.token_urlsafe(9),
            guild_id=by.guild_id,
            user_id=by.user_id,
            audience=await self.audience_of(by),
            answer=answer,
            created_at=now,
            expires_at=now + KEPT_FOR,
        ).with_view(instead_of.view if instead_of is not None else None)
        self._remember(snapshot)
        if question is not None:
            self._asked[snapshot.id] = _Asked(snapshot.expires_at, (snapshot.guild_id, snapshot.user_id), question)
            while len(self._asked) > _MAX_QUESTIONS:
                self._asked.popitem(last=False)
        if instead_of is not None and instead_of.id in self._asked:
            self._asked[instead_of.id].successor = snapshot.id
        self._save_soon(snapshot)
        return snapshot

    async def turn(self, snapshot_id: str, *, by: Actor) -> Snapshot:
        """Return a snapshot to the one who asked for it, if they may still see it.

        PageExpired where it is no longer kept, NotYourPage for anybody else, AccessDenied after a revocation.
        """
        now, forgettings = self._clock.now(), self._forgettings
        snapshot = await self._kept(by.guild_id, snapshot_id)
        if snapshot is None or snapshot.expires_at <= now or snapshot.guild_id != by.guild_id:
            raise PageExpired
        if snapshot.user_id != by.user_id:
            raise NotYourPage
        held = await self._access.capabilities_of(by)
        link = await self._links.of(by)
        _check(snapshot.answer, held, link.steam_id if link is not None else None)
        if self._forgettings != forgettings and await self._kept(by.guild_id, snapshot_id) is None:
            raise PageExpired  # its reader was forgotten while this was found out
        # What a click beside this one has chosen in the meantime stays chosen.
        snapshot = self._recent.get(snapshot_id, snapshot)
        self._remember(snapshot)
        return _as_seen_now(snapshot, held, link.proven if link is not None else None)

    async def _kept(self, guild_id: int, snapshot_id: str) -> Snapshot | None:
        snapshot = self._recent.get(snapshot_id) or self._unsaved.get(snapshot_id)
        return snapshot or await self._repository.load(guild_id, snapshot_id, at=self._clock.now())

    def forget(self, guild_id: int, user_id: int) -> None:
        """Drop what is in memory of somebody's own snapshots in a guild, and of what they asked."""
        self._forgettings += 1
        for snapshot in tuple(self._recent.values()):
            if (snapshot.guild_id, snapshot.user_id) == (guild_id, user_id):
                self._drop(snapshot.id)
        for snapshot in tuple(self._unsaved.values()):
            if (snapshot.guild_id, snapshot.user_id) == (guild_id, user_id):
                del self._unsaved[snapshot.id]
        for snapshot_id in [
            snapshot_id for snapshot_id, asked in self._asked.items() if asked.reader == (guild_id, user_id)
        ]:
            del self._asked[snapshot_id]

    async def apply_view(self, snapshot_id: str, view: InventoryFilter, *, by: Actor) -> Snapshot:
        """Sort and narrow a snapshot for its reader, also after a restart; the errors are those of :meth:`turn`."""
        search = mask_trade_urls(view.search) if view.search is not None else None
        turned = await self.turn(snapshot_id, by=by)
        viewed_snapshot = turned.with_view(replace(view, search=search))
        self._remember(replace(self._recent.get(snapshot_id, turned), view=viewed_snapshot.view))
        unsaved = self._unsaved.get(snapshot_id)
        if unsaved is None:
            await self._repository.set_view(by.guild_id, snapshot_id, viewed_snapshot.view)
        else:
            self._unsaved[snapshot_id] = replace(unsaved, view=viewed_snapshot.view)
        return viewed_snapshot

    def query_of(self, snapshot: Snapshot) -> InventoryRequest:
        """Return what a snapshot answers, for it to be asked again; QueryExpired after a restart."""
        asked = self._asked.get(snapshot.id)
        if asked is None:
            raise QueryExpired
        return asked.question

    def newest(self, snapshot_id: str) -> str:
        """Return the id of the snapshot that took this one's place in the end, its own where none has."""
        while (asked := self._asked.get(snapshot_id)) is not None and asked.successor is not None:
            snapshot_id = asked.successor
        return snapshot_id

    async def purge(self) -> None:
        """Forget what has expired."""
        now = self._clock.now()
        for snapshot_id in [snapshot_id for snapshot_id, asked in self._asked.items() if asked.until <= now]:
            del self._asked[snapshot_id]
        await self._repository.purge(at=now)

    async def saved(self) -> None:
        """Return once everything opened until now is in the repository, or has failed to get there."""
        opened = frozenset(self._unsaved)
        # A task that was cancelled, with the event loop, is done and will save nothing.
        while self._saving is not None and not self._saving.done() and not opened.isdisjoint(self._unsaved):
            await asyncio.wait({self._saving})

    def _save_soon(self, snapshot: Snapshot) -> None:
        """Have a snapshot written in a moment, with those of that moment: nobody waits for it to be shown a page."""
        self._unsaved[snapshot.id] = snapshot
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        await asyncio.sleep(SAVED_WITHIN.total_seconds())
        batch = tuple(self._unsaved.values())
        try:
            await self._repository.save(*batch)
            for snapshot in batch:
                if snapshot.id not in self._unsaved:  # its reader was forgotten while it was on its way to the disk
                    await self._repository.remove(snapshot.guild_id, snapshot.id)
        except Exception as error:  # noqa: BLE001 -- whoever was shown a page has it; it does not outlive the process
            _log.warning("snapshots not kept count=%s error=%s", len(batch), type(error).__name__)
        for snapshot in batch:
            if self._unsaved.get(snapshot.id) is snapshot:  # else it was sorted meanwhile
                del self._unsaved[snapshot.id]
        self._saving = asyncio.create_task(self._save()) if self._unsaved else None

    def _remember(self, snapshot: Snapshot) -> None:
        self._drop(snapshot.id)
        self._recent[snapshot.id] = snapshot
        self._rows_in_memory += _rows(snapshot.answer)
        while len(self._recent) > 1 and (
            len(self._recent) > _MAX_IN_MEMORY or self._rows_in_memory > _MAX_ROWS_IN_MEMORY
        ):
            self._drop(next(iter(self._recent)))

    def _drop(self, snapshot_id: str) -> None:
        dropped = self._recent.pop(snapshot_id, None)
        if dropped is not None:
            self._rows_in_memory -= _rows(dropped.answer)


def _inventory_of(snapshot: Snapshot) -> InventoryAnswer:
    if not isinstance(snapshot.answer, InventoryAnswer):
        raise PageExpired
    return snapshot.answer


def _rows(answer: InventoryAnswer | TradesAnswer) -> int:
    """Return how many items or trades the answer holds."""
    return len(answer.trades) if isinstance(answer, TradesAnswer) else answer.item_count


def _check(answer: InventoryAnswer | TradesAnswer, held: frozenset[Capability], linked: SteamId | None) -> None:
    owner: SteamId | None
    if isinstance(answer, InventoryAnswer):
        anybodys, own, owner = Capability.INVENTORY_ANY, Capability.INVENTORY_OWN, answer.owner
    else:
        anybodys, own, owner = Capability.TRADES_ANY, Capability.TRADES_OWN, answer.steam_id
    if anybodys in held:
        return
    if own not in held:
        raise AccessDenied(own)
    if owner is None or linked != owner:
        raise AccessDenied(anybodys)


def _as_seen_now(snapshot: Snapshot, held: frozenset[Capability], viewer: SteamId | None) -> Snapshot:
    """Return the snapshot worded for what its reader is now, without codes that are no longer theirs to see."""
    answer = snapshot.answer
    if isinstance(answer, TradesAnswer) and answer.viewer != viewer:
        answer = replace(answer.without_codes(), viewer=viewer)
    return replace(snapshot, answer=answer, audience=_audience(held))


def _audience(held: frozenset[Capability]) -> Audience:
    return Audience.STAFF if is_staff(held) else Audience.CUSTOMER
