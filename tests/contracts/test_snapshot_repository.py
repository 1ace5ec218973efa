"""What every SnapshotRepository does."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.snapshots import InventoryAnswer, TradesAnswer
from bot.ports import SnapshotRepository
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
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
async def test_save(pages: SnapshotRepository, answer: InventoryAnswer | TradesAnswer) -> None:
    """A snapshot comes back as it was, but for the codes of its trades."""
    snapshot = snapshot_of(answer=answer)
    await pages.save(snapshot)

    assert await pages.load(GUILD, snapshot.id, at=NOW) == without_codes(snapshot)


async def test_view(pages: SnapshotRepository) -> None:
    """How its reader has sorted and narrowed a snapshot is kept with it, and forgotten when it is taken back."""
    view = InventoryFilter("knife", Sort.NAME_ASC, Decimal("0.50"), None)
    await pages.save(replace(snapshot_of(), view=view))
    assert await pages.load(GUILD, "p-1", at=NOW) == replace(snapshot_of(), view=view)

    await pages.set_view(GUILD, "p-1", None)
    assert await pages.load(GUILD, "p-1", at=NOW) == snapshot_of()
    await pages.set_view(GUILD, "p-1", view)
    assert await pages.load(GUILD, "p-1", at=NOW) == replace(snapshot_of(), view=view)


async def test_view_of_another_guild(pages: SnapshotRepository) -> None:
    """A guild cannot change another one's snapshot, and a snapshot that is not there is no error."""
    await pages.save(snapshot_of())
    await pages.set_view(OTHER_GUILD, "p-1", InventoryFilter("knife"))
    await pages.set_view(GUILD, "p-2", InventoryFilter("knife"))

    assert await pages.load(GUILD, "p-1", at=NOW) == snapshot_of()


async def test_removed(pages: SnapshotRepository) -> None:
    """A snapshot is gone once it is removed, by its own guild alone; one that is not there is no error."""
    await pages.save(snapshot_of())
    await pages.remove(OTHER_GUILD, "p-1")
    await pages.remove(GUILD, "p-2")
    assert await pages.load(GUILD, "p-1", at=NOW) == snapshot_of()

    await pages.remove(GUILD, "p-1")
    assert await pages.load(GUILD, "p-1", at=NOW) is None


async def test_unknown_id(pages: SnapshotRepository) -> None:
    await pages.save(snapshot_of("p-1"))

    assert await pages.load(GUILD, "p-2", at=NOW) is None


async def test_snapshot_of_another_guild(pages: SnapshotRepository) -> None:
    """A snapshot is found with its own guild's id only."""
    await pages.save(snapshot_of("p-1"))

    assert await pages.load(OTHER_GUILD, "p-1", at=NOW) is None


async def test_expired(pages: SnapshotRepository) -> None:
    """A snapshot is there until it expires and not after."""
    await pages.save(snapshot_of(expires_at=LATER))

    assert await pages.load(GUILD, "p-1", at=LATER - timedelta(milliseconds=1)) is not None
    assert await pages.load(GUILD, "p-1", at=LATER) is None


async def test_purge(pages: SnapshotRepository) -> None:
    """Purging forgets what has expired and nothing else."""
    await pages.save(snapshot_of("old", expires_at=NOW))
    await pages.save(snapshot_of("new", expires_at=LATER))
    await pages.purge(at=NOW)

    assert await pages.load(GUILD, "old", at=NOW - timedelta(days=1)) is None
    assert await pages.load(GUILD, "new", at=NOW) is not None


async def test_saved_again(pages: SnapshotRepository) -> None:
    """A snapshot saved again takes the place of the former one."""
    await pages.save(snapshot_of())
    newer = snapshot_of(answer=replace(inventory_answer(), linked_user_id=BEN))
    await pages.save(newer)

    assert await pages.load(GUILD, "p-1", at=NOW) == newer


async def test_same_id_in_another_guild(pages: SnapshotRepository) -> None:
    """A guild cannot replace another one's snapshot."""
    first = snapshot_of()
    await pages.save(first)
    await pages.save(snapshot_of(guild_id=OTHER_GUILD))

    assert await pages.load(GUILD, "p-1", at=NOW) == first


async def test_too_many_of_a_user(pages: SnapshotRepository) -> None:
    """A user's oldest snapshots go where there are too many; nobody else's do, nor theirs in another guild."""
    small = InventoryAnswer(ADAS_ACCOUNT, inventory_answer().game, inventory_answer().filter, ())
    await pages.save(snapshot_of("ben", user_id=BEN, answer=small))
    await pages.save(snapshot_of("elsewhere", guild_id=OTHER_GUILD, answer=small))
    for number in range(60):
        await pages.save(snapshot_of(f"ada-{number}", user_id=ADA, guild_id=GUILD, answer=small))

    kept = [number for number in range(60) if await pages.load(GUILD, f"ada-{number}", at=NOW) is not None]

    assert kept == list(range(60 - len(kept), 60))
    assert 10 <= len(kept) <= 50
    assert await pages.load(GUILD, "ben", at=NOW) is not None
    assert await pages.load(OTHER_GUILD, "elsewhere", at=NOW) is not None
