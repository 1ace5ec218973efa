"""Requests for resends: who may request which trade, and how often."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.access import Actor, Capability, Grant
from bot.domain.errors import (
    ApprovalsChannelUnusable,
    CardOutdated,
    DatabaseUnavailable,
    InvalidInput,
    LinkTooNew,
    NotResendable,
    ResendAlreadyOpen,
    ResendNotPossible,
    TooManyResends,
    TooOften,
    TradeNotFound,
)
from bot.domain.health import DatabaseFault
from bot.domain.resends import OPENED_AT_MOST, CardMessage, Resend, ResendState
from bot.domain.steam import SteamId
from bot.domain.trades import KeyLimit
from bot.services.resends import ATTEMPTS
from tests.services.resend_setup import (
    AGENT,
    AGENTS,
    APPROVALS,
    CUSTOMER,
    CUSTOMERS_ACCOUNT,
    GUILD,
    MODERATOR,
    STRANGERS_ACCOUNT,
    TRADE,
    ResendSetup,
    member,
    outcomes,
)


async def test_fifty_requests_at_once(services: ResendSetup) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)
    crowd = [member(1_000 + number, AGENTS) for number in range(50)]

    done, refused = await outcomes([services.service.request(str(TRADE), by=one) for one in crowd])

    (resend,) = done
    assert services.cards.posted == {resend.id: 1}
    assert {type(late) for late in refused} == {ResendAlreadyOpen}
    assert len(refused) == 49


@pytest.mark.parametrize("kept", [True, False])
async def test_key_sees_one_account(services: ResendSetup, *, kept: bool) -> None:
    """Not found, not yours and not visible read the same: it is said whose trades the key sees."""
    services.provider.key_owner = STRANGERS_ACCOUNT
    services.provider.add(TRADE if kept else 1, STRANGERS_ACCOUNT)

    with pytest.raises(TradeNotFound) as refused:
        await services.service.request(str(TRADE), by=CUSTOMER)
    assert refused.value.limit == KeyLimit(STRANGERS_ACCOUNT)


@pytest.mark.parametrize("by", [CUSTOMER, AGENT])
async def test_asked_per_account(services: ResendSetup, by: Actor) -> None:
    """A trade is found among its owner's: the caller's own, or whose it was when it was listed lately."""
    services.provider.per_account = True
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    resend = await services.service.request(str(TRADE), by=by)

    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT


@pytest.mark.parametrize("trade_id", ["9" * 5_000, "1" * 20, "-1", "4.8", "٤٨١٢", "", "abc"])
async def test_not_a_trade_number(services: ResendSetup, trade_id: str) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    with pytest.raises(TradeNotFound):
        await services.service.request(trade_id, by=AGENT)


@pytest.mark.parametrize("trade_id", [" 4812 ", "#4812", "004812"])
async def test_trade_number_as_people_type_it(services: ResendSetup, trade_id: str) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    assert (await services.service.request(trade_id, by=AGENT)).trade_id == TRADE


async def test_channel_refuses_the_card(services: ResendSetup) -> None:
    """A request whose channel cannot be used is cancelled silently and does not block the trade."""
    services.cards.post_fails_with = ApprovalsChannelUnusable()

    with pytest.raises(ApprovalsChannelUnusable):
        await services.requested()

    assert await services.repositories.resends.all_open() == ()
    services.cards.post_fails_with = None
    await services.restart()
    assert services.cards.messages == []
    assert (await services.requested()).state is ResendState.PENDING


async def test_channel_refuses_the_card_later(services: ResendSetup) -> None:
    """After trouble of Discord the requester is told if the channel turns out to be unusable."""
    services.cards.posts = "refused"
    resend = await services.requested()
    assert (resend.state, resend.message_id) == (ResendState.PENDING, None)
    services.cards.post_fails_with = ApprovalsChannelUnusable()

    services.clock.advance(seconds=5)
    await services.refresh()
    await services.tick()

    assert (await services.row(resend)).decision_reason == "card_not_posted"
    assert services.cards.states_for(AGENT.user_id) == ["cancelled"]


@pytest.mark.parametrize("trouble", ["none", "no post", "no database", "not served"])
async def test_wait_for_the_first_card(services: ResendSetup, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """The requester's answer waits until the card is as far as it gets, and no longer."""
    monkeypatch.setattr("bot.services.resends._POSTED_WITHIN", 3_600.0)

    async def fail(moment: str) -> None:
        if moment == "resends.attach_card before":
            raise DatabaseUnavailable(DatabaseFault.NO_ANSWER)

    if trouble == "no post":
        services.cards.posts = "refused"
    elif trouble == "no database":
        services.step = fail
    elif trouble == "not served":
        services.guilds.use(frozenset({GUILD + 1}))
    async with asyncio.timeout(30):
        resend = await services.requested()

    assert resend.is_shown is (trouble == "none")


async def test_discord_takes_no_post_for_hours(services: ResendSetup) -> None:
    """Trouble of Discord cancels nothing, and is no mistake of anyone: the card appears once it is over."""
    services.cards.posts = "refused"
    resend = await services.requested()
    for _ in range(100):
        services.clock.advance(minutes=2)
        await services.refresh()
        await services.tick()
    services.cards.posts = "taken"
    services.clock.advance(minutes=2)

    await services.refresh()

    assert (await services.approve(resend.id, by=MODERATOR)).state is ResendState.SENT
    assert services.cards.posted == {resend.id: 1}


async def test_lost_post(services: ResendSetup) -> None:
    """A card whose answer was lost is found by its nonce, with what has changed since."""
    services.cards.posts = "lost"
    resend = await services.requested()
    assert resend.message_id is None
    services.cards.posts = "taken"

    services.clock.advance(seconds=5)
    await services.refresh()

    assert services.cards.cards_of(resend.id) == [(await services.row(resend)).message_id]
    assert services.cards.posted == {resend.id: 1}


@pytest.mark.parametrize("action", ["approve", "deny"])
async def test_click_on_a_lost_post(services: ResendSetup, action: str) -> None:
    """A click on a card whose answer was lost brings it: the decision counts, and no other card is posted."""
    services.cards.posts = "lost"
    resend = await services.requested()
    (message_id,) = services.cards.cards_of(resend.id)
    pressed = CardMessage(APPROVALS, message_id)
    services.cards.posts = "taken"

    if action == "approve":
        decided = await services.service.approve(resend.id, by=MODERATOR, seen=1, card=pressed)
    else:
        decided = await services.service.deny(resend.id, by=MODERATOR, card=pressed)
    services.clock.advance(seconds=5)
    await services.refresh()

    assert services.cards.posted == {resend.id: 1}
    assert services.cards.on_cards[message_id].state is decided.state
    assert (await services.row(resend)).is_shown


async def test_decided_before_the_card_is_attached(services: ResendSetup) -> None:
    """A denial counts and reaches the card; an approval is refused, because no version is known to be shown."""
    refused: list[BaseException | Resend] = []

    async def decide(name: str) -> None:
        if name == "cards.post after":
            services.step = None
            approving = services.service.approve(1, by=MODERATOR, seen=1)
            refused.extend(await asyncio.gather(approving, return_exceptions=True))
            await services.service.deny(1, by=MODERATOR)

    services.step = decide

    resend = await services.requested()
    await services.told()

    assert [type(error) for error in refused] == [CardOutdated]
    assert resend.state is ResendState.DENIED
    assert services.cards.shown[resend.id].state is ResendState.DENIED


async def test_blank_and_long_reasons(services: ResendSetup) -> None:
    services.provider.add(TRADE, CUSTOMERS_ACCOUNT)

    with pytest.raises(InvalidInput):
        await services.service.request(str(TRADE), by=AGENT, reason="x" * 201)
    assert (await services.service.request(str(TRADE), by=AGENT, reason="   ")).reason is None


# Limits for customers


async def grant_own(services: ResendSetup) -> None:
    await services.repositories.grants.grant(Grant(GUILD, GUILD, Capability.RESEND_OWN), by=1, at=services.clock.now())


async def test_daily_limit_at_once(services: ResendSetup) -> None:
    for trade_id in range(1, 21):
        services.provider.add(trade_id, CUSTOMERS_ACCOUNT)
    await grant_own(services)

    done, refused = await outcomes([services.service.request(str(number), by=CUSTOMER) for number in range(1, 21)])

    assert len(done) == OPENED_AT_MOST
    assert {type(late) for late in refused} == {TooManyResends}


async def test_daily_limit_over_time(services: ResendSetup) -> None:
    """Ended requests of the last 24 hours count; those that never had a card do not. Agents have no limit."""
    await grant_own(services)
    services.cards.post_fails_with = ApprovalsChannelUnusable()
    with pytest.raises(ApprovalsChannelUnusable):
        await services.requested(50, by=CUSTOMER)
    services.cards.post_fails_with = None
    for trade_id in range(1, OPENED_AT_MOST + 1):
        resend = await services.requested(trade_id, by=CUSTOMER)
        await services.service.deny(resend.id, by=MODERATOR)
        services.clock.advance(hours=1)
    services.clock.advance(hours=23 - OPENED_AT_MOST, minutes=59)
    with pytest.raises(TooManyResends) as refused:
        await services.requested(60, by=CUSTOMER)
    services.clock.advance(minutes=1)
    assert refused.value.until == services.clock.now()

    assert (await services.requested(60, by=CUSTOMER)).state is ResendState.PENDING
    with pytest.raises(TooManyResends):
        await services.requested(61, by=CUSTOMER)
    assert (await services.requested(61, by=AGENT)).state is ResendState.PENDING


async def test_requests_without_a_card(services: ResendSetup) -> None:
    """While no card can be posted, a customer fills neither the table nor the audit log; agents are not limited."""
    await grant_own(services)
    services.cards.post_fails_with = ApprovalsChannelUnusable()
    before = len(await services.repositories.audit.newest(GUILD, limit=1_000))

    _, refused = await outcomes([services.requested(50, by=CUSTOMER) for _ in range(300)])

    assert {type(error) for error in refused[-250:]} == {TooOften}
    assert len(await services.repositories.audit.newest(GUILD, limit=1_000)) - before <= 2 * ATTEMPTS
    with pytest.raises(ApprovalsChannelUnusable):
        await services.requested(50, by=AGENT)


async def test_link_too_new(services: ResendSetup) -> None:
    """After a change of account own resends wait 72 hours; no trades are read. Agents do not wait."""
    services.provider.add(TRADE, STRANGERS_ACCOUNT)
    await services.link(CUSTOMER, STRANGERS_ACCOUNT)
    until = services.clock.now() + timedelta(hours=72)

    for trade in (TRADE, 999):
        with pytest.raises(LinkTooNew) as refused:
            await services.service.request(str(trade), by=CUSTOMER)
        assert refused.value.until == until
    assert services.provider.readings == 0
    await services.link(AGENT, CUSTOMERS_ACCOUNT)
    await services.link(AGENT, SteamId.from_account_id(13))
    assert (await services.requested(7)).state is ResendState.PENDING

    services.clock.advance(hours=72, seconds=-0.001)
    with pytest.raises(LinkTooNew):
        await services.service.request(str(TRADE), by=CUSTOMER)
    services.clock.advance(seconds=0.001)
    assert (await services.service.request(str(TRADE), by=CUSTOMER)).state is ResendState.PENDING


async def test_any_trade_but_none_to_see(services: ResendSetup) -> None:
    """With resend.any alone a trade is asked for, or not: why not reads the same, except of one's own trades."""
    sees_all, now = Grant(GUILD, AGENTS, Capability.TRADES_ANY), services.clock.now()
    await services.repositories.grants.revoke(sees_all, by=1, at=now)
    service, provider = services.service, services.provider
    provider.add(1, CUSTOMERS_ACCOUNT, status=3)
    provider.add(2, CUSTOMERS_ACCOUNT, items_send=())
    await services.requested(3)
    provider.add(4, STRANGERS_ACCOUNT, status=3)
    await services.link(AGENT, STRANGERS_ACCOUNT)

    for trade_id in ("1", "2", "3", "999", "abc"):
        with pytest.raises(ResendNotPossible) as refused:
            await service.request(trade_id, by=AGENT)
        assert (refused.value.args, refused.value.__cause__) == ((trade_id,), None)
    with pytest.raises(NotResendable):
        await service.request("4", by=AGENT)

    await services.repositories.grants.grant(sees_all, by=1, at=now)
    for trade_id, error in (("1", NotResendable), ("3", ResendAlreadyOpen), ("999", TradeNotFound)):
        with pytest.raises(error):
            await service.request(trade_id, by=AGENT)
