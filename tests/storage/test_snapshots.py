"""Snapshots stay within their bounds."""

import gc
import zlib
from dataclasses import replace

import pytest
from msgspec.structs import replace as altered

from bot.domain.inventory import Item, Sticker
from bot.domain.snapshots import Audience, Snapshot
from bot.storage.snapshots import SqlSnapshotRepository, encode, pack
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import ADA, BEN, CLEO, GUILD, NOW, OTHER_GUILD, inventory_answer, snapshot

_NO_SUCH_ICON = encode(
    inventory_answer(),
    packed=lambda inventory: zlib.compress(zlib.decompress(pack(inventory)).replace(b"\xa10", b"\xa15")),
)


async def _kept(repository: SqlSnapshotRepository, ids: list[str]) -> list[str]:
    kept = []
    for snapshot_id in ids:
        found = [await repository.load(guild_id, snapshot_id, at=NOW) for guild_id in (GUILD, OTHER_GUILD)]
        kept += [snapshot_id] * (found != [None, None])
    return kept


@pytest.mark.parametrize(("audience", "kept"), [(Audience.CUSTOMER, 20), (Audience.STAFF, 60)])
async def test_share_of_a_user(db: SqliteDatabase, audience: Audience, kept: int) -> None:
    """A customer has twenty snapshots in a guild, one of the staff sixty; the oldest are evicted first."""
    repository = SqlSnapshotRepository(db)
    ids = [f"p-{number}" for number in range(kept + 3)]
    for snapshot_id in ids:
        await repository.save(replace(snapshot(snapshot_id), audience=audience))

    assert await _kept(repository, ids) == ids[3:]


async def test_same_user_in_two_guilds(db: SqliteDatabase) -> None:
    """A user's snapshots in one guild evict none in another."""
    repository = SqlSnapshotRepository(db, max_per_staff=3)
    for snapshot_id, guild_id in zip("abcdef", [GUILD] * 2 + [OTHER_GUILD] * 3 + [GUILD], strict=True):
        await repository.save(snapshot(snapshot_id, guild_id=guild_id))

    assert await _kept(repository, list("abcdef")) == list("abcdef")


async def test_too_many_of_all(db: SqliteDatabase) -> None:
    """All guilds together have a bound too; the oldest are evicted first."""
    repository = SqlSnapshotRepository(db, max_rows=5)
    owners = [(GUILD, ADA), (GUILD, BEN), (OTHER_GUILD, CLEO), (OTHER_GUILD, ADA)] * 2
    ids = [f"p-{number}" for number in range(8)]
    for snapshot_id, (guild_id, user_id) in zip(ids, owners, strict=True):
        await repository.save(snapshot(snapshot_id, guild_id=guild_id, user_id=user_id))

    assert await _kept(repository, ids) == ids[3:]


async def test_saved_again_counts_as_new(db: SqliteDatabase) -> None:
    """A snapshot that was saved again is no longer the oldest."""
    repository = SqlSnapshotRepository(db, max_per_staff=3)
    for snapshot_id in ("a", "b", "c", "a", "d"):
        await repository.save(snapshot(snapshot_id))

    assert await _kept(repository, ["a", "b", "c", "d"]) == ["a", "c", "d"]


def _with_items(*items: Item) -> Snapshot:
    answer = inventory_answer()
    inventory = answer.answers[0].inventory
    assert inventory is not None
    part = replace(answer.answers[0], inventory=replace(inventory, items=items))
    return snapshot(answer=replace(answer, answers=(part,)))


async def test_too_large(db: SqliteDatabase, caplog: pytest.LogCaptureFixture) -> None:
    """A snapshot above the bound is not stored, and a former one with its id is deleted."""
    repository = SqlSnapshotRepository(db, max_bytes=2_000)
    await repository.save(snapshot())
    assert await repository.load(GUILD, "p-1", at=NOW) is not None

    incompressible = [Item(f"{hash((n, n)):x}", f"{hash((n, 7)):x}{hash((n, 8)):x}", None) for n in range(500)]
    await repository.save(_with_items(*incompressible))

    assert await repository.load(GUILD, "p-1", at=NOW) is None
    assert await db.read("SELECT 1 FROM snapshots") == []
    assert caplog.messages[0].startswith(f"snapshot too large to keep guild={GUILD} bytes=")


async def test_too_large_for_pictures(db: SqliteDatabase, caplog: pytest.LogCaptureFixture) -> None:
    """A snapshot above the bound is stored without what only details show, if that is enough."""
    bare = [Item(str(n), "AK-47", None, exterior="Field-Tested", paint_seed=3) for n in range(500)]
    detailed = [
        altered(item, icon_hash=f"{hash((n, 1)):x}", inspect_certificate=f"{hash((n, 2)):x}", stickers=(Sticker("A"),))
        for n, item in enumerate(bare)
    ]
    repository = SqlSnapshotRepository(db, max_bytes=5_000)
    await repository.save(_with_items(*detailed))

    assert await repository.load(GUILD, "p-1", at=NOW) == _with_items(*bare)
    assert caplog.messages == []


async def test_not_encodable(db: SqliteDatabase, caplog: pytest.LogCaptureFixture) -> None:
    """A snapshot with a lone surrogate, which UTF-8 cannot hold, is not stored; those saved with it are."""
    repository = SqlSnapshotRepository(db)
    answer = replace(inventory_answer(), answers=(replace(inventory_answer().answers[0], reference="\ud83d"),))
    await repository.save(snapshot("p-1", answer=answer), snapshot("p-2"))

    assert await _kept(repository, ["p-1", "p-2"]) == ["p-2"]
    assert caplog.messages == [f"snapshot not encoded guild={GUILD} error=UnicodeEncodeError"]


async def test_too_many_bytes_of_all(db: SqliteDatabase) -> None:
    """All snapshots together have a bound in bytes too; the oldest are evicted first."""
    one = len(encode(inventory_answer()))
    repository = SqlSnapshotRepository(db, max_bytes_in_all=3 * one)
    for snapshot_id in "abcde":
        await repository.save(snapshot(snapshot_id))

    assert await _kept(repository, list("abcde")) == list("cde")


@pytest.mark.parametrize("bound", ["max_rows", "max_bytes_in_all"])
async def test_many_of_few(db: SqliteDatabase, bound: str) -> None:
    """Users who fill the whole bound lose their own oldest; who has one snapshot keeps it, however old it is."""
    most = 20
    one = len(encode(inventory_answer()))
    repository = SqlSnapshotRepository(db, **{bound: most * (one if bound == "max_bytes_in_all" else 1)})
    await repository.save(snapshot("mine"))
    for number in range(3 * most):
        await repository.save(snapshot(f"p-{number}", user_id=(BEN, CLEO)[number % 2]))

    newest = [f"p-{number}" for number in range(2 * most + 1, 3 * most)]
    assert await _kept(repository, ["mine", *(f"p-{number}" for number in range(3 * most))]) == ["mine", *newest]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE snapshots SET answer = x'00'",
        f"UPDATE snapshots SET answer = x'{_NO_SUCH_ICON.hex()}'",  # noqa: S608 -- bytes of this test
        "UPDATE snapshots SET audience = 'robots'",
        "UPDATE snapshots SET view = '[7]'",
    ],
)
async def test_no_longer_readable(db: SqliteDatabase, caplog: pytest.LogCaptureFixture, sql: str) -> None:
    """A snapshot that cannot be read is treated as expired."""
    repository = SqlSnapshotRepository(db)
    await repository.save(snapshot())
    await db.write(lambda connection: connection.execute(sql).rowcount)

    assert await repository.load(GUILD, "p-1", at=NOW) is None
    assert caplog.messages[0].startswith(f"snapshot not readable guild={GUILD} error=")


async def test_bytes_leave_memory_with_their_inventory(db: SqliteDatabase) -> None:
    """The bytes of an inventory are shared by its snapshots and do not outlive it: it may have been erased."""
    repository, first = SqlSnapshotRepository(db), snapshot()
    await repository.save(first, replace(first, id="another"))
    assert len(repository._packed) == 1

    del first
    gc.collect()
    assert repository._packed == {}
