"""A made-up world with a clock that a test moves, and a plain client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.demo.world import World


class MovableClock:
    """Shows the same moment until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> None:
        self.moment += by


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def world(clock) -> World:
    return World(now=clock)


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        session._retry_connection = False  # aiohttp would repeat a GET whose connection was lost
        yield session
