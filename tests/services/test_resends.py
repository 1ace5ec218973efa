"""Requests for resends: who may ask for what, once, and with which words."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.access import Capability, Grant
from bot.domain.errors import (
    AccessDenied,
    ApprovalsChannelUnusable,
    CardOutdated,
    InvalidInput,
    LinkTooNew,
    ResendAlreadyOpen,
    TooManyResends,
    TradeNotFound,
)
from bot.domain.links import RELINK_COOL_DOWN
from bot.domain.resends import OPENED_AT_MOST, Resend, ResendState
from bot.domain.steam import SteamId
from tests.services.resend_setup import (
    AGENT,
    AGENTS,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    OTHER_GUILD,
    STRANGERS_ACCOUNT,
    TRADE,
    ResendDesk,
    outcomes,
    somebody,
)


async def test_fifty_requests(services: ResendDesk) -> None:
    """Of fifty who ask for one trade at once one gets a card, and the others are told that it is asked for."""
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)
    crowd = [somebody(1_000 + number, AGENTS) for number in range(50)]

    done, refused = await outcomes([services.service.request(str(TRADE), by=one) for one in crowd])

    (resend,) = done
    assert services.cards.posted == {resend.id: 1}
    assert {type(late) for late in refused} == {ResendAlreadyOpen}
    assert len(refused) == 49


@pytest.mark.parametrize("trade_id", ["9" * 5_000, "1" * 20, "-1", "4.8", "٤٨١٢", "", "abc", f"{TRADE} "[:3]])
async def test_no_number_of_a_trade(services: ResendDesk, trade_id: str) -> None:
    """Whatever is typed for a trade's number, it is a trade or there is none."""
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    with pytest.raises(TradeNotFound):
        await services.service.request(trade_id, by=AGENT)


@pytest.mark.parametrize("trade_id", ["4812", " 4812 ", "#4812", "004812"])
async def test_number_as_people_write_it(services: ResendDesk, trade_id: str) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    assert (await services.service.request(trade_id, by=AGENT)).trade_id == TRADE


@pytest.mark.parametrize(
    "error", [ApprovalsChannelUnusable(), OSError("no route to Discord"), asyncio.CancelledError()]
)
async def test_card_that_cannot_be_posted(services: ResendDesk, error: BaseException) -> None:
    """A request that got no card, for whatever reason, is over: it is in nobody's way, and nobody hears of it later."""
    services.cards.post_fails_with = error

    with pytest.raises(type(error)):
        await services.requested()

    assert await services.repositories.resends.all_open() == ()
    services.cards.post_fails_with = None
    await services.restart()
    assert services.cards.told == []
    assert (await services.requested()).state is ResendState.PENDING


async def test_decided_before_its_card_is_known(services: ResendDesk) -> None:
    """Where Discord's answer to the post comes after the decision, the card still shows how it ended."""

    async def step(name: str) -> None:
        if name == "cards.post after":
            services.step = None
            await services.service.deny(1, by=MODERATOR)

    services.step = step

    resend = await services.requested()

    assert resend.state is ResendState.DENIED
    assert services.cards.shown[resend.id].state is ResendState.DENIED


async def test_approved_before_its_card_is_known(services: ResendDesk) -> None:
    """Until Discord has said that the card is posted nothing is known to be shown, and so nothing is approved."""
    refused: list[BaseException | Resend] = []

    async def step(name: str) -> None:
        if name == "cards.post after":
            services.step = None
            refused.extend(await asyncio.gather(services.approve(1, by=MODERATOR), return_exceptions=True))

    services.step = step

    resend = await services.requested()

    assert [type(error) for error in refused] == [CardOutdated]
    assert resend.state is ResendState.PENDING
    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


async def test_open_in_another_guild(services: ResendDesk) -> None:
    """A trade is asked for once over all guilds, and one guild does not learn of another's request."""
    resend = await services.requested()
    elsewhere = somebody(AGENT.user_id, AGENTS, guild_id=OTHER_GUILD)

    with pytest.raises(ResendAlreadyOpen) as there:
        await services.service.request(str(TRADE), by=elsewhere)
    with pytest.raises(ResendAlreadyOpen) as here:
        await services.service.request(str(TRADE), by=AGENT)

    assert there.value.resend is None
    assert here.value.resend == resend


async def test_somebody_elses_trade(services: ResendDesk) -> None:
    """For a customer another's trade is as little there as one that does not exist."""
    services.provider.add(TRADE, STRANGERS_ACCOUNT, status=0)

    with pytest.raises(TradeNotFound):
        await services.service.request(str(TRADE), by=CUSTOMER)


async def test_reason_with_a_trade_url(services: ResendDesk) -> None:
    """A trade token in a reason is masked before anything is kept or shown."""
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)
    url = "https://steamcommunity.com/tradeoffer/new/?partner=11&token=SeCrEt12"

    resend = await services.service.request(str(TRADE), by=AGENT, reason=f"  send to {url} ")

    assert resend.reason is not None
    assert resend.reason.startswith("send to ")
    assert "SeCrEt12" not in repr(resend)
    assert "SeCrEt12" not in repr(services.cards.shown)


@pytest.mark.parametrize(("reason", "kept"), [("   ", None), ("", None), (None, None), (" x ", "x")])
async def test_reason_of_nothing(services: ResendDesk, reason: str | None, kept: str | None) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    assert (await services.service.request(str(TRADE), by=AGENT, reason=reason)).reason == kept


async def test_reason_too_long(services: ResendDesk) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    with pytest.raises(InvalidInput):
        await services.service.request(str(TRADE), by=AGENT, reason="x" * 201)


async def test_open_requests(services: ResendDesk) -> None:
    """Moderators see what is open, oldest first; others do not."""
    first = await services.requested(1)
    second = await services.requested(2)
    await services.service.deny((await services.requested(3)).id, by=MODERATOR)

    assert await services.service.open_requests(by=MODERATOR) == (first, second)
    with pytest.raises(AccessDenied):
        await services.service.open_requests(by=AGENT)


# How many


async def test_many_at_once(services: ResendDesk) -> None:
    """Of many requests of one customer at once as many are opened as they may, and the others say until when."""
    for trade_id in range(1, 21):
        services.provider.add(trade_id, CUSTOMERS_ACCOUNT)
    await grant_own(services)

    done, refused = await outcomes([services.service.request(str(number), by=CUSTOMER) for number in range(1, 21)])

    assert len(done) == OPENED_AT_MOST
    for late in refused:
        assert isinstance(late, TooManyResends)
        assert late.until == services.clock.now() + timedelta(hours=24)


async def test_next_one(services: ResendDesk) -> None:
    """The limit is of any 24 hours, ended requests count, and those that never had a card do not."""
    await grant_own(services)
    services.cards.post_fails_with = ApprovalsChannelUnusable()
    with pytest.raises(ApprovalsChannelUnusable):
        await services.requested(50, by=CUSTOMER)
    services.cards.post_fails_with = None
    first = services.clock.now()
    for trade_id in range(1, OPENED_AT_MOST + 1):
        resend = await services.requested(trade_id, by=CUSTOMER)
        await services.service.deny(resend.id, by=MODERATOR)
        services.clock.advance(hours=1)
    with pytest.raises(TooManyResends) as raised:
        await services.requested(60, by=CUSTOMER)
    assert raised.value.until == first + timedelta(hours=24)
    services.clock.advance(hours=23 - OPENED_AT_MOST, minutes=59)
    with pytest.raises(TooManyResends):
        await services.requested(60, by=CUSTOMER)

    services.clock.advance(minutes=1)

    assert (await services.requested(60, by=CUSTOMER)).state is ResendState.PENDING
    with pytest.raises(TooManyResends):
        await services.requested(61, by=CUSTOMER)


async def test_agents_have_no_limit(services: ResendDesk) -> None:
    for trade_id in range(1, OPENED_AT_MOST + 3):
        assert (await services.requested(trade_id)).state is ResendState.PENDING


async def grant_own(services: ResendDesk) -> None:
    """Let everybody ask for their own trades."""
    await services.repositories.grants.grant(Grant(GUILD, GUILD, Capability.RESEND_OWN), by=1, at=services.clock.now())


async def test_account_of_another_lately(services: ResendDesk) -> None:
    """Own resends wait for as long as the link says, to the moment; ``resend.any`` does not."""
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)
    services.provider.add(TRADE + 1, STRANGERS_ACCOUNT)
    await services.link(CUSTOMER, STRANGERS_ACCOUNT)
    until = services.clock.now() + RELINK_COOL_DOWN

    for trade in (TRADE, TRADE + 1, 999):
        with pytest.raises(LinkTooNew) as refused:
            await services.service.request(str(trade), by=CUSTOMER)
        assert refused.value.until == until
    assert services.provider.readings == 0

    services.clock.advance(seconds=RELINK_COOL_DOWN.total_seconds() - 0.001)
    with pytest.raises(LinkTooNew):
        await services.service.request(str(TRADE + 1), by=CUSTOMER)
    services.clock.advance(seconds=0.001)
    assert (await services.service.request(str(TRADE + 1), by=CUSTOMER)).state is ResendState.PENDING


async def test_staff_with_a_new_account(services: ResendDesk) -> None:
    """The wait concerns own resends alone: an agent who was linked anew works on."""
    await services.link(AGENT, STRANGERS_ACCOUNT)
    await services.link(AGENT, SteamId.from_account_id(13))

    assert (await services.requested()).state is ResendState.PENDING
