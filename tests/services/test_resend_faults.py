"""Wherever an approval is cancelled, crashes or meets a broken disk: no second call, and an honest end."""

import asyncio
from collections import deque

import pytest

from bot.domain.resends import ResendState
from tests.fakes.trade_provider import Held, Way, accepts, does_and_loses, loses, refuses
from tests.services.resend_setup import AGENT, CUSTOMER, MODERATOR, ResendSetup, face, ticks


def points(log: list[str]) -> list[str]:
    """Return every step of the log that it came to, numbered where it came there more than once."""
    return [f"{name}#{log[: place + 1].count(name)}" for place, name in enumerate(log)]


async def steps_of_an_approval(services: ResendSetup, trade_id: int) -> list[str]:
    """Approve undisturbed, and return the steps in their order."""
    resend = await services.requested(trade_id)
    log: list[str] = []

    async def step(name: str) -> None:
        log.append(name)

    services.step = step
    await services.approve(resend.id, by=MODERATOR)
    services.step = None
    return points(log)


class At:
    """A step that does something at one point and then no more."""

    def __init__(self, point: str, deed) -> None:
        self._point = point
        self._deed = deed
        self._log: list[str] = []

    async def __call__(self, name: str) -> None:
        self._log.append(name)
        if points(self._log)[-1] == self._point:
            self._deed()


@pytest.mark.parametrize("way", [accepts, does_and_loses, loses])
async def test_approver_who_goes_away(services: ResendSetup, way: Way) -> None:
    """Wherever the approving caller is cancelled, at most one call is made, and once it is approved it has its end."""
    end = ResendState.UNKNOWN if way is loses else ResendState.SENT
    services.provider.ways.append(way)
    every_point = await steps_of_an_approval(services, 1)
    assert len(every_point) > 30
    seen = set()
    for trade_id, point in enumerate(every_point, start=2):
        resend = await services.requested(trade_id)
        services.provider.ways = deque([way])
        approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
        services.step = At(point, approving.cancel)
        await asyncio.gather(approving, return_exceptions=True)
        await services.quiet()
        services.step = None

        kept = await services.row(resend)

        assert kept.state in {ResendState.PENDING, end}, point
        assert services.provider.calls[trade_id] == (kept.state is end), point
        assert face(services.cards.shown[resend.id]) == face(kept), point
        seen.add(kept.state)
    assert seen == {ResendState.PENDING, end}


@pytest.mark.parametrize(
    ("way", "ends"),
    [
        (accepts, {("sent", 1)}),
        (loses, set()),
        (refuses, {("failed", 1)}),
    ],
)
async def test_crash_at_every_point(services: ResendSetup, way: Way, ends: set[tuple[str, int]]) -> None:
    """Wherever it crashes, the next start makes no second call, shows how it stands, and tells the end that it has."""
    services.provider.ways.append(way)
    every_point = await steps_of_an_approval(services, 1)
    seen = set()
    for trade_id, point in enumerate(every_point, start=2):
        resend = await services.requested(trade_id)
        services.provider.ways = deque([way])
        services.cards.told.clear()
        services.step = At(point, services.crash)
        await asyncio.gather(services.approve(resend.id, by=MODERATOR), return_exceptions=True)
        await services.quiet()
        services.step = None
        await services.start()

        kept = await services.row(resend)

        calls = services.provider.calls[trade_id]
        assert calls <= 1, point
        assert face(services.cards.shown[resend.id]) == face(kept), point
        if not kept.state.is_open:
            assert calls, point
            for told in (AGENT, CUSTOMER):
                assert services.cards.told_to(told.user_id)[-1] == kept.state.value, point
        await ticks(services, seconds=10)
        assert services.provider.calls[trade_id] == calls, point
        seen.add((kept.state.value, calls))
    assert seen - {("unknown", 1)} == {("pending", 0), ("unknown", 0)} | ends


class DiskFull(Exception):
    """What a storage says that cannot read or write."""


def fail() -> None:
    raise DiskFull


async def test_storage_that_breaks_at_every_point(services: ResendSetup) -> None:
    """Wherever the disk fails for a moment, no second call is made and no request stays stuck: it goes on by itself."""
    database = ("resends.", "links.", "grants.", "settings.")
    every_point = [point for point in await steps_of_an_approval(services, 1) if point.startswith(database)]
    assert len(every_point) > 20
    for trade_id, point in enumerate(every_point, start=2):
        resend = await services.requested(trade_id)
        services.step = At(point, fail)
        await asyncio.gather(services.approve(resend.id, by=MODERATOR), return_exceptions=True)
        await services.quiet()
        services.step = None
        await ticks(services, seconds=10)

        kept = await services.row(resend)

        calls = services.provider.calls[trade_id]
        assert (kept.state.value, calls) in {("pending", 0), ("unknown", 0), ("sent", 1)}, point
        await services.restart()
        assert face(services.cards.shown[resend.id]) == face(await services.row(resend)), point
        assert services.provider.calls[trade_id] == calls, point


async def test_broken_off_after_its_caller_had_gone(services: ResendSetup, caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong when nobody waits for it any more is in the log."""
    resend = await services.requested()
    held = Held()
    services.provider.ways.append(held)
    approving = asyncio.create_task(services.approve(resend.id, by=MODERATOR))
    await held.reached.wait()
    approving.cancel()
    await asyncio.gather(approving, return_exceptions=True)

    services.step = At("resends.settle before#1", fail)
    held.let_go()
    await services.quiet()

    assert "resend failed after its caller was cancelled" in caplog.text
