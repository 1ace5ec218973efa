"""The file holds no secret."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.resends import TradeFacts
from bot.storage.database import to_ms
from bot.storage.resends import SqlResendRepository
from bot.storage.sqlite.database import SqliteDatabase
from tests.contracts.samples import NOW, draft, opened, trade


async def test_trade_code(path: Path) -> None:
    """A trade's code is in no table."""
    facts = TradeFacts.of(trade(code="ZQXJKW"))
    async with SqliteDatabase.open(path) as db:
        await opened(SqlResendRepository(db, "worker"), asked_for=replace(draft(), facts=facts))

    for file in path.parent.iterdir():
        assert b"ZQXJKW" not in file.read_bytes()


async def test_facts_of_an_earlier_version(path: Path) -> None:
    """A request whose facts have neither time nor game nor bot can be read, and does not count as changed."""
    facts = TradeFacts.of(trade())
    async with SqliteDatabase.open(path) as db:
        repository = SqlResendRepository(db, "worker")
        resend = await opened(repository, asked_for=replace(draft(), facts=facts))
        shorten = "UPDATE resends SET facts = json_remove(facts, '$.created_at', '$.game', '$.bot')"
        await db.write(lambda connection: connection.execute(shorten).rowcount)

        read = await repository.get(resend.guild_id, resend.id)

    assert read is not None
    assert read.facts == replace(facts, created_at=None, game=None, bot=None)
    assert read.facts.differences(facts) == ()


def test_moment_without_a_zone() -> None:
    """A naive moment is refused."""
    with pytest.raises(TypeError):
        to_ms(NOW.replace(tzinfo=None))
