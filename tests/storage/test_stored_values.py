"""The file holds no secret."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.resends import TradeFacts
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import TradesAnswer
from bot.storage.database import Database, to_ms
from bot.storage.resends import SqliteResendRepository
from bot.storage.snapshots import SqliteSnapshotRepository, decode
from tests.contracts.samples import BEN, NOW, draft, snapshot, trade, trades_answer


async def test_trade_code(path: Path) -> None:
    """A trade's code is in no table, neither with a request nor with a snapshot."""
    secret = replace(trade(), code=TradeCode("ZQXJKW"))
    answer = replace(trades_answer(), trades=(secret,))
    async with Database.open(path) as db:
        resends = SqliteResendRepository(db)
        resend = await resends.open(replace(draft(), facts=TradeFacts.of(secret)))
        assert resend is not None
        await resends.approve(resend.guild_id, resend.id, version=1, by=BEN, at=NOW)
        await SqliteSnapshotRepository(db).save(snapshot(answer=answer))
        (row,) = await db.read("SELECT answer FROM snapshots")
        kept = decode(row["answer"])

    assert isinstance(kept, TradesAnswer)
    assert [one.code for one in kept.trades] == [None]
    for file in path.parent.iterdir():
        assert b"ZQXJKW" not in file.read_bytes()


def test_moment_without_a_zone() -> None:
    """A naive moment is refused."""
    with pytest.raises(TypeError):
        to_ms(NOW.replace(tzinfo=None))
