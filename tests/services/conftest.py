"""Gives each test its own database, and each test of resends its services."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.engines import ENGINES, Repositories
from tests.services.resend_setup import ResendSetup


@pytest.fixture
async def repositories(tmp_path: Path) -> AsyncIterator[Repositories]:
    async with ENGINES["sqlite"](tmp_path) as opened:
        yield opened


@pytest.fixture
async def services(repositories: Repositories) -> AsyncIterator[ResendSetup]:
    opened = ResendSetup(repositories)
    await opened.set_up()
    yield opened
    await opened.delivery.close(within=0.0)
