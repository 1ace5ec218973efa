"""Gives each contract suite every engine in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports import (
    AuditRepository,
    GrantRepository,
    GuildSettingsRepository,
    LinkRepository,
    MyDataRepository,
    PauseRepository,
    ResendRepository,
    SignInRepository,
    SnapshotRepository,
)
from tests.contracts.engines import ENGINES, Repositories


@pytest.fixture(params=ENGINES)
async def repositories(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Repositories]:
    async with ENGINES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def grants(repositories: Repositories) -> GrantRepository:
    return repositories.grants


@pytest.fixture
def links(repositories: Repositories) -> LinkRepository:
    return repositories.links


@pytest.fixture
def guild_settings(repositories: Repositories) -> GuildSettingsRepository:
    return repositories.settings


@pytest.fixture
def pauses(repositories: Repositories) -> PauseRepository:
    return repositories.pauses


@pytest.fixture
def resends(repositories: Repositories) -> ResendRepository:
    return repositories.resends


@pytest.fixture
def pages(repositories: Repositories) -> SnapshotRepository:
    return repositories.snapshots


@pytest.fixture
def audit(repositories: Repositories) -> AuditRepository:
    return repositories.audit


@pytest.fixture
def my_data(repositories: Repositories) -> MyDataRepository:
    return repositories.my_data


@pytest.fixture
def sign_ins(repositories: Repositories) -> SignInRepository:
    return repositories.sign_ins
