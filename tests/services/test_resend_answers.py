"""Every answer of Mannco.store to a resend, over HTTP, and the end that SkinDesk gives the request."""

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
from tests.services.resend_setup import AGENT, MODERATOR, ResendSetup

LIMITS = Limits(connect=2.0, write=2.0, read=0.25, deadline=0.5)
"""The usual limits with a shorter wait for an answer."""

LOGIN = "POST /user/login"


@asynccontextmanager
async def services_of(server: SimulatedMannco, folder: Path) -> AsyncIterator[ResendSetup]:
    """Open services that call the simulated Mannco.store."""
    transport = Transport(ProviderName.MANNCO, server.url, ssl.create_default_context(), FakeClock(), LIMITS)
    async with transport, ENGINES["sqlite"](folder) as repositories:
        login = ApiKeyLogin(transport, Secret(server.world.credentials.mannco_api_key))
        services = ResendSetup(repositories, Mannco(transport, login))
        await services.set_up()
        yield services
        await services.delivery.close(within=0.0)


def unlucky_trade(world: World, answer: ResendAnswer) -> WorldTrade:
    """Return the trade whose resend gets this answer."""
    (trade,) = (trade for trade in world.trades if world.resend_answers.get(trade.id) is answer)
    return trade


async def approved(services: ResendSetup, trade: WorldTrade) -> Resend:
    resend = await services.service.request(str(trade.id), by=AGENT)
    return await services.approve(resend.id, by=MODERATOR)


async def over_time(services: ResendSetup, resend: Resend) -> Resend:
    """Return the request after a minute, a restart, and another minute."""
    for _ in range(2):
        for _ in range(12):
            services.clock.advance(seconds=5)
            await services.delivery.tick()
        await services.restart()
    return await services.row(resend)


ENDS = {
    ResendAnswer.OK: (ResendState.SENT, Outcome.CONFIRMED),
    ResendAnswer.REFUSE: (ResendState.FAILED, Outcome.REFUSED),
    ResendAnswer.FORBIDDEN: (ResendState.FAILED, Outcome.CREDENTIALS),
    ResendAnswer.THROTTLED: (ResendState.FAILED, Outcome.REFUSED),
    ResendAnswer.HTML: (ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    ResendAnswer.LOST_BEFORE: (ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    ResendAnswer.LOST_AFTER: (ResendState.SENT, Outcome.READ_BACK),
    ResendAnswer.HANG: (ResendState.UNKNOWN, Outcome.ANSWER_LOST),
    ResendAnswer.HANG_AFTER: (ResendState.SENT, Outcome.READ_BACK),
    ResendAnswer.SERVER_ERROR_AFTER: (ResendState.SENT, Outcome.READ_BACK),
    ResendAnswer.OTHER_TRADE: (ResendState.SENT, Outcome.READ_BACK),
}


@pytest.mark.parametrize("answer", ResendAnswer)
async def test_every_answer(tmp_path: Path, answer: ResendAnswer) -> None:
    """One approval makes one call, and its end is known as far as it can be."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, answer)
    async with SimulatedMannco(world) as server, services_of(server, tmp_path) as services:
        resend = await approved(services, trade)

        assert (resend.state, resend.outcome) == ENDS[answer]

        later = await over_time(services, resend)

        assert (later.state, later.outcome) == ENDS[answer]
        assert server.resend_calls == {trade.id: 1}


async def test_effect_shows_late(tmp_path: Path) -> None:
    """A lost call is settled whenever its effect shows; until then the trade cannot be requested again."""
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


async def test_other_parameter_name(tmp_path: Path) -> None:
    """If Mannco.store wants the other parameter name, the resend fails; the other name is not tried."""
    world = World(now=FakeClock().now)
    trade = unlucky_trade(world, ResendAnswer.OK)
    async with SimulatedMannco(world, resend_parameter="id") as server, services_of(server, tmp_path) as services:
        resend = await approved(services, trade)

        assert (resend.state, resend.outcome) == (ResendState.FAILED, Outcome.PARAMETER)

        await over_time(services, resend)

        assert server.resend_calls == {trade.id: 1}


async def test_login_ended(tmp_path: Path) -> None:
    """A refused login fails the resend and is renewed for the next one."""
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


async def test_provider_unreachable(tmp_path: Path) -> None:
    """Without a connection the resend fails: nothing was sent."""
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
