"""Watched trades and rights: what ends a watch, and what sends nothing."""

import pytest

from bot.domain.access import Capability
from bot.domain.errors import TradeNotWatchable
from bot.domain.steam import SteamId
from bot.domain.trades import TradeState
from bot.domain.watches import KEPT_FOR, Delivery, WatchEnd
from bot.services.guilds import ServedGuilds
from tests.contracts.engines import Repositories
from tests.domain.builders import OWNER
from tests.fakes.guilds import NoFirstGuild
from tests.services.members import AGENT, CUSTOMER, GUILD
from tests.services.watching import Watching, without_roles

STRANGERS = SteamId.from_account_id(77)


@pytest.fixture
async def desk(repositories: Repositories) -> Watching:
    opened = Watching(repositories)
    await opened.set_up()
    return opened


async def test_customers_rights(desk: Watching) -> None:
    """A customer without the link, or without the right, reads that the watch ended and nothing of the trade."""
    for lose in (
        lambda: desk.repositories.links.remove(GUILD, CUSTOMER.user_id, by=0, at=desk.clock.now()),
        lambda: desk.revoke(Capability.TRADES_OWN),
    ):
        await desk.link(CUSTOMER, OWNER)
        desk.provider.put("1", TradeState.OFFERED)
        desk.messages.roles[CUSTOMER.user_id] = CUSTOMER
        await desk.begin()
        await lose()
        desk.provider.put("1", TradeState.COMPLETED)
        await desk.minute()

        assert desk.messages.changes.pop() == ("1", WatchEnd.RIGHTS)
        assert await desk.watches() == []
    assert all(kind == WatchEnd.RIGHTS for _, kind in desk.messages.changes)


async def test_pressed_with_another_link(desk: Watching) -> None:
    """An old watch says nothing to a customer whose link is another one by now."""
    await desk.begin()
    await desk.link(CUSTOMER, STRANGERS)

    with pytest.raises(TradeNotWatchable):
        await desk.begin()


async def test_staffs_rights(desk: Watching) -> None:
    """An agent's roles are read before each message: lost ones end the watch, unknown ones make it wait."""
    await desk.begin(by=AGENT)
    desk.provider.put("1", TradeState.HELD)
    for _ in range(2):  # Discord does not say
        await desk.minute()
    assert desk.messages.changes == []
    assert desk.messages.asked == {AGENT.user_id: 2}

    desk.messages.roles[AGENT.user_id] = AGENT
    await desk.minute()
    assert desk.messages.changes == [("1", TradeState.HELD)]

    desk.messages.roles[AGENT.user_id] = without_roles(AGENT)
    desk.provider.put("1", TradeState.COMPLETED)
    await desk.minute()
    assert desk.messages.changes[1:] == [("1", WatchEnd.RIGHTS)]


async def test_server_no_longer_served(desk: Watching) -> None:
    """Watches of a server that the desk has given up cost no reading, and send nothing, at their end neither."""
    await desk.begin()
    readings, told = desk.provider.readings, desk.messages.sent
    desk.service = desk.started(
        guilds=ServedGuilds(first=NoFirstGuild(), clock=desk.clock, named=frozenset({GUILD + 1}))
    )
    desk.provider.put("1", TradeState.COMPLETED)

    await desk.minute()
    desk.clock.advance(seconds=KEPT_FOR.total_seconds())
    await desk.minute()

    assert (desk.provider.readings, desk.messages.sent) == (readings, told)


async def test_who_left(desk: Watching) -> None:
    """A watch ends without a message if its user left the server, or closed their direct messages."""
    await desk.begin(by=AGENT)
    await desk.begin()
    desk.messages.roles[AGENT.user_id] = desk.messages.answer = Delivery.REFUSED
    desk.provider.put("1", TradeState.HELD)
    await desk.minute()

    assert desk.messages.changes == []
    assert (await desk.watches(AGENT), await desk.watches()) == ([], [])
