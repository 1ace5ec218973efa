"""An approval that is cancelled, crashes or meets a broken disk, at every point: no second call."""

import asyncio
from collections import deque

import pytest

from bot.domain.resends import TELLING_IN_DOUBT, ResendState
from tests.fakes.trade_provider import Held, Way, accepts, does_and_loses, loses, refuses
from tests.services.resend_setup import AGENT, CUSTOMER, MODERATOR, ResendSetup, face, ticks


def points(log: list[str]) -> list[str]:
    """Return every step of the log with the number of its occurrence."""
    return [f"{name}#{log[: place + 1].count(name)}" for place, name in enumerate(log)]


async def steps_of_an_approval(services: ResendSetup, trade_id: int) -> list[str]:
    """Approve undisturbed, and return the steps in order."""
    resend = await services.requested(trade_id)
    log: list[str] = []

    async def step(name: str) -> None:
        log.append(name)

    services.step = step
    await services.approve(resend.id, by=MODERATOR)
    services.step = None
    return points(log)


class At:
    """A step that runs an action at one point."""

    def __init__(self, point: str, action) -> None:
        self._point = point
        self._action = action
        self._log: list[str] = []

    async def __call__(self, name: str) -> None:
        self._log.append(name)
        if points(self._log)[-1] == self._point:
            self._action()


@pytest.mark.parametrize("way", [accepts, does_and_loses, loses])
async def test_cancelled_at_every_point(services: ResendSetup, way: Way) -> None:
    """At most one call is made, and an approved request is carried to its end."""
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
    """The next start makes no second call, shows the state on the card, and tells an outcome; none is told twice."""
    services.provider.ways.append(way)
    every_point = await steps_of_an_approval(services, 1)
    seen = set()
    for trade_id, point in enumerate(every_point, start=2):
        resend = await services.requested(trade_id)
        services.provider.ways = deque([way])
        services.cards.messages.clear()
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
            for user in (AGENT, CUSTOMER):
                told = services.cards.states_for(user.user_id).count(kept.state.value)
                assert told == 1 or (told == 0 and TELLING_IN_DOUBT in kept.notes), point
        await ticks(services, seconds=10)
        assert services.provider.calls[trade_id] == calls, point
        seen.add((kept.state.value, calls))
    assert seen - {("unknown", 1)} == {("pending", 0), ("unknown", 0)} | ends


class DiskFull(Exception):
    """The storage can neither read nor write."""


def fail() -> None:
    raise DiskFull


async def test_storage_fails_at_every_point(services: ResendSetup) -> None:
    """No second call is made, and the background carries the request on."""
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


async def test_failure_after_the_caller_was_cancelled(services: ResendSetup, caplog: pytest.LogCaptureFixture) -> None:
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


async def test_told_once_on_a_full_disk(services: ResendSetup) -> None:
    """If it cannot be stored that people were told, they are not told again in each round."""
    resend = await services.requested()

    async def step(name: str) -> None:
        if name == "resends.finalise before":
            raise OSError(28, "full")

    services.step = step
    await services.approve(resend.id, by=MODERATOR)
    await services.quiet()
    told = len(services.cards.messages)
    await ticks(services, seconds=20)
    services.step = None
    await ticks(services, seconds=10)

    assert told == len(services.cards.messages) == 2
    assert await services.repositories.resends.not_finalised() == ()
