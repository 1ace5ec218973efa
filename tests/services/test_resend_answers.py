"""Every way in which Mannco.store can answer a resend, over its own wire, to the end that SkinDesk gives it."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo.providers.mannco import SimulatedMannco
from bot.demo.trades import ResendAnswer, WorldTrade
from bot.demo.world import World
from bot.domain.errors import ResendAlreadyOpen
from bot.domain.failures import ProviderName
from bot.domain.resends import Outcome, Resend, ResendState
from bot.domain.secrets import Secret
from bot.providers.mannco import ApiKeyLogin, Mannco
from bot.providers.transport import Limits, Transport
from tests.contracts.engines import ENGINES
from tests.fakes.clock import FakeClock
from tests.services.resend_setup import AGENT, MODERATOR, ResendDesk

LIMITS = Limits(connect=2.0, write=2.0, read=0.25, deadline=0.5)
"""As ever, but for how long an answer is waited for."""

LOGIN = "POST /user/login"


@asynccontextmanager
async def services_of(
    server: SimulatedMannco, folder: Path, *, resend_parameter: str = "resend"
) -> AsyncIterator[ResendDesk]:
    """Open a desk that asks the simulated Mannco.store."""
    transport = Transport(ProviderName.MANNCO, server.url, ssl.create_default_context(), FakeClock(), LIMITS)
    async with transport, ENGINES["sqlite"](folder) as repositories:
        login = ApiKeyLogin(transport, Secret(server.world.credentials.mannco_api_key))
        services = ResendDesk(repositories, Mannco(transport, login, resend_parameter=resend_parameter))
        await services.set_up()
        yield services
        await services.delivery.close(within=0.0)


def unlucky_trade(world: World, answer: ResendAnswer) -> WorldTrade:
    """Return the trade whose resend is answered so."""
    (trade,) = (trade for trade in world.trades if world.resend_answers.get(trade.id) is answer)
    return trade


async def approved(services: ResendDesk, trade: WorldTrade) -> Resend:
    resend = await services.service.request(str(trade.id), by=AGENT)
    return await services.approve(resend.id, by=MODERATOR)


async def over_time(services: ResendDesk, resend: Resend) -> Resend:
    """Return the request after a minute, a restart, and another minute."""
    for _ in range(2):
        for _ in range(12):
            services.clock.advance(seconds=5)
            await services.delivery.tick()
        await services.restart()
    return await services.row(resend)


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        (ResendAnswer.OK, ResendState.SENT, Outcome.CONFIRMED),
        (ResendAnswer.REFUSE, ResendState.FAILED, Outcome.REFUSED),
        (ResendAnswer.FORBIDDEN, ResendState.FAILED, Outcome.CREDENTIALS),
        (ResendAnswer.THROTTLED, ResendState.FAILED, Outcome.REFUSED),
        (ResendAnswer.HTML, ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (ResendAnswer.LOST_BEFORE, ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (ResendAnswer.LOST_AFTER, ResendState.SENT, Outcome.READ_BACK),
        (ResendAnswer.HANG, ResendState.UNKNOWN, Outcome.ANSWER_LOST),
        (ResendAnswer.HANG_AFTER, ResendState.SENT, Outcome.READ_BACK),
        (ResendAnswer.SERVER_ERROR_AFTER, ResendState.SENT, Outcome.READ_BACK),
        (ResendAnswer.OTHER_TRADE, ResendState.SENT, Outcome.READ_BACK),
    ],
)
async def test_every_answer(tmp_path: Path, answer: ResendAnswer, state: ResendState, outcome: Outcome) -> None:
    """One approval makes one call, whatever is answered, and ends as far as it can be known."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, answer)
    async with SimulatedMannco(world) as server, services_of(server, tmp_path) as services:
        resend = await approved(services, trade)

        assert (resend.state, resend.outcome) == (state, outcome)

        later = await over_time(services, resend)

        assert (later.state, later.outcome) == (state, outcome)
        assert server.resend_calls == {trade.id: 1}


def test_every_answer_is_tried() -> None:
    """No way to answer is left out above."""
    (mark,) = test_every_answer.pytestmark  # type: ignore[attr-defined]  # pytest puts it there
    assert [answer for answer, _, _ in mark.args[1]] == list(ResendAnswer)


async def test_done_long_after(tmp_path: Path) -> None:
    """What a lost call did is found whenever it shows, and until then the trade is not asked for again."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, ResendAnswer.HANG)
    async with SimulatedMannco(world) as server, services_of(server, tmp_path) as services:
        resend = await over_time(services, await approved(services, trade))
        assert resend.state is ResendState.UNKNOWN
        with pytest.raises(ResendAlreadyOpen):
            await approved(services, trade)

        server.carry_out(trade)

        assert (await over_time(services, resend)).outcome is Outcome.READ_BACK
        assert server.resend_calls == {trade.id: 1}


async def test_other_spelling(tmp_path: Path) -> None:
    """A Mannco.store that wants the other parameter was not asked for anything; the other is not tried."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, ResendAnswer.OK)
    async with SimulatedMannco(world, resend_parameter="id") as server, services_of(server, tmp_path) as services:
        resend = await approved(services, trade)

        assert (resend.state, resend.outcome) == (ResendState.FAILED, Outcome.PARAMETER)

        await over_time(services, resend)

        assert server.resend_calls == {trade.id: 1}


async def test_newer_spelling(tmp_path: Path) -> None:
    """With the setting that fits, a Mannco.store that wants the other parameter resends."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, ResendAnswer.OK)
    async with (
        SimulatedMannco(world, resend_parameter="id") as server,
        services_of(server, tmp_path, resend_parameter="id") as services,
    ):
        assert (await approved(services, trade)).outcome is Outcome.CONFIRMED


async def test_login_that_ended(tmp_path: Path) -> None:
    """A refused login fails the resend, and is renewed for the next one, which works."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, ResendAnswer.OK)
    async with SimulatedMannco(world) as server, services_of(server, tmp_path) as services:
        waiting = await services.service.request(str(trade.id), by=AGENT)
        assert server.calls[LOGIN] == 1

        async def end_logins(name: str) -> None:
            if name == "provider.resend before":
                services.step = None
                server.end_logins()

        services.step = end_logins
        failed = await services.approve(waiting.id, by=MODERATOR)

        assert (failed.state, failed.outcome) == (ResendState.FAILED, Outcome.CREDENTIALS)
        assert (server.resend_calls[trade.id], server.calls[LOGIN]) == (1, 1)

        sent = await approved(services, trade)

        assert sent.state is ResendState.SENT
        assert (server.resend_calls[trade.id], server.calls[LOGIN]) == (2, 2)


async def test_provider_that_is_gone(tmp_path: Path) -> None:
    """Where no connection can be made nothing was sent, and that is said."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, ResendAnswer.OK)
    async with SimulatedMannco(world) as server, services_of(server, tmp_path) as services:
        waiting = await services.service.request(str(trade.id), by=AGENT)

        async def stop(name: str) -> None:
            if name == "provider.resend before":
                services.step = None
                await server.stop()

        services.step = stop
        resend = await services.approve(waiting.id, by=MODERATOR)

        assert (resend.state, resend.outcome) == (ResendState.FAILED, Outcome.NOT_REACHED)
        assert server.resend_calls == {}
