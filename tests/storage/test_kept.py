"""What a look into the file shows: no secret, whatever was kept; and that looking rights up writes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.access import SEEDED
from bot.domain.pages import TradesAnswer
from bot.domain.resends import TradeFacts
from bot.domain.secrets import TradeCode
from bot.storage.columns import from_ms, to_ms, without_tokens
from bot.storage.database import Database
from bot.storage.grants import SqliteGrantRepository
from bot.storage.pages import SqlitePagesRepository
from bot.storage.pages_codec import decode
from bot.storage.resends import SqliteResendRepository
from tests.contracts.samples import BEN, GUILD, NOW, draft, pages, trade, trades_answer


async def test_trade_code(path: Path) -> None:
    """The code of a trade is in no table: not with a request for it, not with a snapshot that shows it."""
    secret = replace(trade(), code=TradeCode("ZQXJKW"))
    answer = replace(trades_answer(), trades=(secret,))
    async with Database.open(path) as db:
        resends = SqliteResendRepository(db)
        resend = await resends.open(replace(draft(), facts=TradeFacts.of(secret)))
        assert resend is not None
        await resends.approve(resend.id, version=1, by=BEN, at=NOW)
        await SqlitePagesRepository(db).save(pages(answer=answer))
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


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Token = SeCrEt12", "Token = ••••"),
        ("to\u200bken=SeC\u200brEt12 ★", "token=•••• ★"),
        ("token=••••SeCrEt12", "token=••••"),
        ("a\u200db, invisible, and no secret", "a\u200db, invisible, and no secret"),
        ("masked\u200b already: token=••••", "masked already: token=••••"),
        ("tokens are not shown", "tokens are not shown"),
    ],
)
def test_trade_token(text: str, kept: str) -> None:
    """A trade token is masked however it is hidden; words without one are kept as they came."""
    assert without_tokens(text).replace("\u200b", "") == kept
    assert "SeC" not in without_tokens(text)


def test_moment_without_a_zone() -> None:
    """A moment that does not say its zone is refused rather than guessed."""
    with pytest.raises(TypeError):
        to_ms(NOW.replace(tzinfo=None))
