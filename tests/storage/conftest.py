"""Gives the tests of the storage a database of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.sqlite.database import SqliteDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.db"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase.open(path) as opened:
        yield opened
