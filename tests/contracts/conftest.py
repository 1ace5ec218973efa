"""Gives each contract suite every engine in turn."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.storage.postgres import database
from tests.contracts.engines import ENGINES, Repositories


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a server that stands still for a moment: these contracts promise no times."""
    monkeypatch.setattr(database, "_WAIT", 60.0)


@pytest.fixture(params=ENGINES)
async def repositories(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Repositories]:
    async with ENGINES[request.param](tmp_path) as opened:
        yield opened


def _fixture(field: str) -> Callable[..., Any]:
    """Return a fixture for one of the repositories."""

    @pytest.fixture(name="guild_settings" if field == "settings" else field)
    def repository(repositories: Repositories) -> Any:
        return getattr(repositories, field)

    return repository


grants = _fixture("grants")
links = _fixture("links")
guild_settings = _fixture("settings")
pauses = _fixture("pauses")
resends = _fixture("resends")
snapshots = _fixture("snapshots")
references = _fixture("references")
audit = _fixture("audit")
my_data = _fixture("my_data")
sign_ins = _fixture("sign_ins")
watches = _fixture("watches")
notes = _fixture("notes")
