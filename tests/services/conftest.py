"""Gives each test of resends its own services and database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.engines import ENGINES
from tests.services.resend_setup import ResendSetup


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[ResendSetup]:
    async with ENGINES["sqlite"](tmp_path) as repositories:
        opened = ResendSetup(repositories)
        await opened.set_up()
        yield opened
        await opened.delivery.close(within=0.0)
