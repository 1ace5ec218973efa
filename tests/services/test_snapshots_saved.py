"""Snapshots are saved together in the background, and erased everywhere at any moment."""

import asyncio
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.errors import PageExpired, QueryExpired
from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter
from bot.domain.snapshots import ProviderAnswer, Snapshot
from bot.services.my_data import MyDataService
from tests.domain.builders import NOW, inventory, item
from tests.services.members import AGENT, GUILD
from tests.services.test_snapshots import CUSTOMER, INVENTORY, REQUEST, VIEW, Services, services, soon

__all__ = ["services", "soon"]  # the fixtures


# Saving


class Watched:
    """The repository; it counts what is saved together, and can fail."""

    def __init__(self, services: Services) -> None:
        self._repository = services.repositories.snapshots
        self.saved: list[int] = []
        self.error: Exception | None = None
        services.snapshots._repository = self

    async def save(self, *snapshots: Snapshot) -> None:
        self.saved.append(len(snapshots))
        if self.error is not None:
            raise self.error
        await self._repository.save(*snapshots)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)


async def test_saved_together(services: Services):
    """Opening does not wait for the disk, and snapshots opened at the same time are saved together."""
    watched = Watched(services)
    opened = [await services.open_unsaved(INVENTORY, by=CUSTOMER) for _ in range(5)]
    assert watched.saved == []

    await services.snapshots.saved()
    assert watched.saved == [5]
    restarted = services.restarted()
    assert [await restarted.load(snapshot.id, by=CUSTOMER) for snapshot in opened] == opened


async def test_view_applied_before_and_while_the_snapshot_is_saved(services: Services):
    snapshot = await services.open_unsaved(INVENTORY, by=CUSTOMER)
    services.snapshots._recent.clear()
    assert await services.snapshots.apply_view(snapshot.id, lambda _: VIEW, by=CUSTOMER) == replace(snapshot, view=VIEW)
    newer = InventoryFilter("awp")

    class Slow(Watched):
        async def save(self, *snapshots: Snapshot) -> None:
            if not self.saved:
                await services.snapshots.apply_view(snapshot.id, lambda _: newer, by=CUSTOMER)
            await super().save(*snapshots)

    Slow(services)
    await services.snapshots.saved()
    assert await services.saved_view(snapshot) == newer


async def test_saving_was_cancelled(services: Services):
    """No caller waits for the cancelled task, and the next snapshot is saved together with the earlier ones."""
    first = await services.open_unsaved(INVENTORY, by=CUSTOMER)
    assert services.snapshots._saving is not None
    services.snapshots._saving.cancel()
    await asyncio.wait_for(services.snapshots.saved(), 10)

    second = await services.open(INVENTORY, by=CUSTOMER)
    restarted = services.restarted()
    assert [await restarted.load(snapshot.id, by=CUSTOMER) for snapshot in (first, second)] == [first, second]


async def test_saving_failed(services: Services, caplog: pytest.LogCaptureFixture):
    """On a full disk snapshots work from memory and the log says so; later ones are saved again."""
    watched = Watched(services)
    watched.error = OSError("disk full")
    lost = await services.open(INVENTORY, by=CUSTOMER)
    assert await services.snapshots.load(lost.id, by=CUSTOMER) == lost
    assert caplog.messages == ["snapshots not saved count=1 error=OSError"]

    watched.error = None
    saved = await services.open(INVENTORY, by=CUSTOMER)
    restarted = services.restarted()
    assert await restarted.load(saved.id, by=CUSTOMER) == saved
    with pytest.raises(PageExpired):
        await restarted.load(lost.id, by=CUSTOMER)


async def test_large_answers(services: Services):
    """Of one reader's large answers only the newest stays in memory; the others are loaded from storage."""
    part = ProviderAnswer(ProviderName.ASSETPAY, inventory(*(item(str(number)) for number in range(9_000))))
    opened = [await services.open(replace(INVENTORY, answers=(part,)), by=CUSTOMER) for _ in range(5)]

    assert list(services.snapshots._recent) == [snapshot.id for snapshot in opened[-1:]]
    assert await services.snapshots.load(opened[0].id, by=CUSTOMER) == opened[0]


# Erasure


def my_data_of(services: Services) -> MyDataService:
    other: Any = SimpleNamespace(evict=lambda *_: None, saved=partial(asyncio.sleep, 0))
    return MyDataService(
        repository=services.repositories.my_data,
        rows=services.repositories.audit,
        snapshots=services.snapshots,
        references=other,
        inventory=other,
        cards=other,
        sign_ins=other,
        clock=services.clock,
    )


async def test_erased_from_memory(services: Services):
    """The reader's snapshots and requests go; those of others stay."""
    theirs = await services.open(INVENTORY, by=CUSTOMER, request=REQUEST)
    other = await services.open(INVENTORY, by=AGENT, request=REQUEST)
    services.snapshots.evict(GUILD, CUSTOMER.user_id)

    assert list(services.snapshots._recent) == [other.id]
    with pytest.raises(QueryExpired):
        await services.snapshots.refresh(theirs.id, by=CUSTOMER)
    assert (await services.snapshots.refresh(other.id, by=AGENT)).id != other.id


async def test_erased_while_it_is_saved(services: Services):
    erased = asyncio.Event()

    class Slow(Watched):
        async def save(self, *snapshots: Snapshot) -> None:
            await erased.wait()
            await super().save(*snapshots)

    Slow(services)
    theirs, other = [await services.open_unsaved(INVENTORY, by=by) for by in (CUSTOMER, AGENT)]
    await asyncio.sleep(0.01)  # it is being saved by then
    services.snapshots.evict(GUILD, CUSTOMER.user_id)
    erased.set()
    await services.snapshots.saved()

    assert await services.repositories.snapshots.load(GUILD, theirs.id, at=NOW) is None
    assert await services.repositories.snapshots.load(GUILD, other.id, at=NOW) is not None


async def test_erased_while_it_is_loaded(services: Services):
    """A click during the erasure brings nothing back into memory."""
    snapshot = await services.open(INVENTORY, by=CUSTOMER)
    services.snapshots._recent.clear()

    class Slow(Watched):
        async def load(self, guild_id: int, snapshot_id: str, **options: Any) -> Snapshot | None:
            loaded = await self._repository.load(guild_id, snapshot_id, **options)
            if loaded is not None:
                await my_data_of(services).erase(by=CUSTOMER)
            return loaded

    Slow(services)
    with pytest.raises(PageExpired):
        await services.snapshots.load(snapshot.id, by=CUSTOMER)
    assert len(services.snapshots._recent) == 0


async def test_erased_before_it_is_saved(services: Services):
    """Export and erasure see a snapshot that was only just opened."""
    my_data = my_data_of(services)
    first = await services.open_unsaved(INVENTORY, by=CUSTOMER)
    assert (await my_data.export(by=CUSTOMER)).snapshots == 1
    await services.open_unsaved(INVENTORY, by=CUSTOMER)
    assert (await my_data.erase(by=CUSTOMER)).snapshots == 2

    await services.link(CUSTOMER, INVENTORY.owner)
    second = await services.open_unsaved(INVENTORY, by=CUSTOMER)
    services.snapshots.evict(GUILD, CUSTOMER.user_id)
    await services.snapshots.saved()
    for snapshot in (first, second):
        assert await services.repositories.snapshots.load(GUILD, snapshot.id, at=NOW) is None
