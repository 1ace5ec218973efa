"""Requests of a server that is no longer served are never sent, and end."""

import pytest

from bot.domain.errors import GuildNotServed
from bot.domain.resends import ResendState
from tests.contracts.engines import Repositories
from tests.services.resend_setup import MODERATOR, TRADE, ResendSetup, ticks, unknown_resend

ELSEWHERE = 999_999


@pytest.fixture
async def services(repositories: Repositories) -> ResendSetup:
    opened = ResendSetup(repositories)
    await opened.set_up()
    return opened


@pytest.mark.parametrize("moment", ["resends.approve after", "provider.resend before"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_after_the_approval(services: ResendSetup, moment: str, *, restarted: bool) -> None:
    """A server that is taken out between approval and first byte gets no call, and its request is cancelled."""
    resend = await services.requested()

    async def step(name: str) -> None:
        if name == moment:
            services.guilds.use([ELSEWHERE])

    services.step = step
    with pytest.raises(GuildNotServed):
        await services.approve(resend.id, by=MODERATOR)
    services.step = None
    assert (await services.row(resend)).state is ResendState.APPROVED
    posts, told = len(services.channel.posts), len(services.cards.messages)
    if restarted:
        await services.restart()
    await ticks(services, seconds=20)

    ended = await services.row(resend)
    assert (ended.state, ended.decision_reason) == (ResendState.CANCELLED, "server_not_served")
    assert not services.provider.calls
    assert (len(services.channel.posts), len(services.cards.messages)) == (posts, told)
    assert await services.repositories.resends.not_finalised() == ()


async def test_in_doubt(services: ResendSetup) -> None:
    """An unknown outcome is still settled by reading, so that its trade is free again; no one is told."""
    unknown = await unknown_resend(services)
    services.guilds.use([ELSEWHERE])
    posts, told = len(services.channel.posts), len(services.cards.messages)
    services.provider.carry_out(TRADE)
    await ticks(services, seconds=20)

    assert (await services.row(unknown)).state is ResendState.SENT
    assert (len(services.channel.posts), len(services.cards.messages)) == (posts, told)
