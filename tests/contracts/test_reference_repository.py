"""Each ReferenceRepository keeps the facts of errors, within bounds, and nothing of the provider's own texts."""

from datetime import timedelta

import pytest

from bot.domain.failures import Failure, FailureKind, Party, ProviderName
from bot.ports.references import ReferenceRepository
from bot.storage.references import SqlReferenceRepository
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import ADA, BEN, GUILD, NOW, OTHER_GUILD, error

SINCE = NOW - timedelta(days=7)
FAILURES = [
    None,
    Failure(
        ProviderName.SKINSBACK,
        FailureKind.REFUSED,
        code=-10,
        key="invalid_client_secret",
        http_status=400,
        request_id="req-1",
        place="data[3].price",
        method="user_inventory",
        took=timedelta(milliseconds=1250),
    ),
    Failure(Party.STEAM, FailureKind.LOST),
]


@pytest.mark.parametrize("failure", FAILURES)
async def test_kept(references: ReferenceRepository, failure: Failure | None) -> None:
    """All facts come back, in their own guild and for their time only."""
    kept = error(failure=failure)
    await references.save(kept)

    assert await references.load(GUILD, "041ee7", since=SINCE) == kept
    assert await references.load(OTHER_GUILD, "041ee7", since=SINCE) is None
    assert await references.load(GUILD, "041ee8", since=SINCE) is None
    assert await references.load(GUILD, "041ee7", since=NOW) is None
    assert await references.of_user(GUILD, ADA, since=SINCE) == (kept,)
    assert await references.of_user(GUILD, ADA, since=NOW) == ()


async def test_same_reference_again(references: ReferenceRepository) -> None:
    """A reference that came twice is that of the newer error; each guild has its own."""
    newer = error(user_id=BEN, at=NOW + timedelta(seconds=1))
    await references.save(error(), error(guild_id=OTHER_GUILD))
    await references.save(newer)

    assert await references.load(GUILD, "041ee7", since=SINCE) == newer
    assert await references.load(OTHER_GUILD, "041ee7", since=SINCE) == error(guild_id=OTHER_GUILD)


async def test_nothing_that_may_be_a_secret(references: ReferenceRepository) -> None:
    """Of what the provider wrote only bounded names are kept, and no trade token in them."""
    url = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=abcdefgh"
    failure = Failure(
        ProviderName.MANNCO, FailureKind.REFUSED, key=url, message=url, details=(("url", url),), request_id="x" * 9999
    )
    await references.save(error(failure=failure))
    found = await references.load(GUILD, "041ee7", since=SINCE)

    assert found is not None
    assert found.failure is not None
    assert (found.failure.message, found.failure.details) == (None, ())
    assert "abcdefgh" not in str(found)
    assert len(found.failure.request_id or "") <= 120


async def test_purged(references: ReferenceRepository) -> None:
    await references.save(error(), error("b1b2b3", at=NOW + timedelta(seconds=1)))
    await references.purge(before=NOW)

    assert [each.reference for each in await references.of_user(GUILD, ADA, since=SINCE)] == ["b1b2b3"]


async def test_shares(tmp_path) -> None:
    """A member who makes errors all day pushes out their own; then those with most of them lose their oldest."""
    async with SqliteDatabase.open(tmp_path / "desk.db") as db:
        references = SqlReferenceRepository(db, max_rows=6, max_per_user=4)
        await references.save(error("aaaaaa", user_id=BEN))
        for number in range(9):
            await references.save(error(f"{number:06x}", at=NOW + timedelta(seconds=number)))
        of_ada = await references.of_user(GUILD, ADA, since=SINCE)
        assert [each.reference for each in of_ada] == ["000008", "000007", "000006", "000005"]

        await references.save(error("bbbbbb", user_id=3), error("cccccc", user_id=4))
        assert len(await references.of_user(GUILD, ADA, since=SINCE)) == 3
        assert await references.load(GUILD, "aaaaaa", since=SINCE) is not None
