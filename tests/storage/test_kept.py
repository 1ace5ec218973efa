"""What a look into the file shows: no secret, whatever was kept; and that looking rights up writes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.access import SEEDED
from bot.domain.resends import TradeFacts
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import TradesAnswer
from bot.storage.columns import from_ms, to_ms
from bot.storage.database import Database
from bot.storage.grants import SqliteGrantRepository
from bot.storage.resends import SqliteResendRepository
from bot.storage.snapshot_codec import decode
from bot.storage.snapshots import SqliteSnapshotRepository
from tests.contracts.samples import BEN, GUILD, NOW, draft, snapshot, trade, trades_answer


async def test_trade_code(path: Path) -> None:
    """The code of a trade is in no table: not with a request for it, not with a snapshot that shows it."""
    secret = replace(trade(), code=TradeCode("ZQXJKW"))
    answer = replace(trades_answer(), trades=(secret,))
    async with Database.open(path) as db:
        resends = SqliteResendRepository(db)
        resend = await resends.open(replace(draft(), facts=TradeFacts.of(secret)))
        assert resend is not None
        await resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=NOW)
        await SqliteSnapshotRepository(db).save(snapshot(answer=answer))
        (row,) = await db.read("SELECT answer FROM pages")
        kept = decode(row["answer"])

    assert isinstance(kept, TradesAnswer)
    assert [one.code for one in kept.trades] == [None]
    for file in path.parent.iterdir():
        assert b"ZQXJKW" not in file.read_bytes()


async def test_rights_of_a_known_guild(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are looked up on every click: for a guild that was seen before that is one reading, no writing."""
    repository = SqliteGrantRepository(db, now=lambda: NOW)
    await repository.of_guild(GUILD)
    (row,) = await db.read("SELECT seeded_at FROM guilds")
    assert from_ms(row["seeded_at"]) == NOW

    monkeypatch.setattr(db, "write", None)

    assert len(await repository.of_guild(GUILD)) == len(SEEDED)


def test_moment_without_a_zone() -> None:
    """A moment that does not say its zone is refused rather than guessed."""
    with pytest.raises(TypeError):
        to_ms(NOW.replace(tzinfo=None))
