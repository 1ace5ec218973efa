"""Each SnapshotRepository stores snapshots until they expire, for their own guild."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.snapshots import InventoryAnswer, TradesAnswer, TradesView
from bot.ports import SnapshotRepository
from tests.contracts.samples import (
    BEN,
    GUILD,
    LATER,
    NOW,
    OTHER_GUILD,
    inventory_answer,
    trades_answer,
    without_codes,
)
from tests.contracts.samples import snapshot as snapshot_of


@pytest.mark.parametrize("answer", [inventory_answer(), trades_answer()], ids=["inventory", "trades"])
async def test_save(snapshots: SnapshotRepository, answer: InventoryAnswer | TradesAnswer) -> None:
    """A snapshot comes back equal, without the codes of its trades, and in its own guild only."""
    snapshot = snapshot_of(answer=answer)
    await snapshots.save(snapshot)

    assert await snapshots.load(GUILD, snapshot.id, at=NOW) == without_codes(snapshot)
    assert await snapshots.load(OTHER_GUILD, snapshot.id, at=NOW) is None


async def test_view(snapshots: SnapshotRepository) -> None:
    """The reader's sort order and filter are stored and can be changed."""
    view = InventoryFilter("knife", Sort.NAME_ASC, Decimal("0.50"), None)
    await snapshots.save(replace(snapshot_of(), view=view))
    assert await snapshots.load(GUILD, "p-1", at=NOW) == replace(snapshot_of(), view=view)

    await snapshots.set_view(GUILD, "p-1", None)
    assert await snapshots.load(GUILD, "p-1", at=NOW) == snapshot_of()
    for changed in (view, TradesView.FAILED):
        await snapshots.set_view(GUILD, "p-1", changed)
        assert await snapshots.load(GUILD, "p-1", at=NOW) == replace(snapshot_of(), view=changed)


async def test_removed(snapshots: SnapshotRepository) -> None:
    """Only the own guild can remove or change a snapshot; an unknown one is no error."""
    await snapshots.save(snapshot_of())
    await snapshots.remove(OTHER_GUILD, "p-1")
    await snapshots.set_view(OTHER_GUILD, "p-1", InventoryFilter("knife"))
    await snapshots.set_view(GUILD, "p-2", InventoryFilter("knife"))
    await snapshots.save(snapshot_of(guild_id=OTHER_GUILD))
    await snapshots.remove(GUILD, "p-2")
    assert await snapshots.load(GUILD, "p-1", at=NOW) == snapshot_of()

    await snapshots.remove(GUILD, "p-1")
    assert await snapshots.load(GUILD, "p-1", at=NOW) is None


async def test_expired(snapshots: SnapshotRepository) -> None:
    """A snapshot is found until it expires."""
    await snapshots.save(snapshot_of(expires_at=LATER))

    assert await snapshots.load(GUILD, "p-1", at=LATER - timedelta(milliseconds=1)) is not None
    assert await snapshots.load(GUILD, "p-1", at=LATER) is None


async def test_purge(snapshots: SnapshotRepository) -> None:
    """Purging deletes expired snapshots only."""
    await snapshots.save(snapshot_of("old", expires_at=NOW))
    await snapshots.save(snapshot_of("new", expires_at=LATER))

    assert await snapshots.purge(at=NOW) == {"new"}
    assert await snapshots.load(GUILD, "old", at=NOW - timedelta(days=1)) is None
    assert await snapshots.load(GUILD, "new", at=NOW) is not None


async def test_saved_again(snapshots: SnapshotRepository) -> None:
    """A snapshot saved again replaces the former one."""
    await snapshots.save(snapshot_of())
    newer = snapshot_of(answer=replace(inventory_answer(), linked_user_id=BEN))
    await snapshots.save(newer)

    assert await snapshots.load(GUILD, "p-1", at=NOW) == newer
