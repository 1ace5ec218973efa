"""Changes of a watched trade are sent, each once, to users who may see them, at one reading a minute."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace as altered

from bot.domain.access import WATCHES, Actor
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    DirectMessagesClosed,
    DiscordUnavailable,
    NotLinked,
    ProviderError,
    ProviderOff,
    SkinDeskError,
    TooOften,
    TradeHasEnded,
    TradeNotWatchable,
)
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.steam import SteamId
from bot.domain.trades import TradeState
from bot.domain.watches import KEPT_FOR, MOST_WATCHES, Delivery, WatchEnd
from bot.services.watches import TooManyWatches
from tests.contracts.engines import Repositories
from tests.contracts.samples import watch
from tests.domain.builders import OWNER
from tests.fakes.workers import Desk
from tests.services.members import AGENT, CUSTOMER, GUILD
from tests.services.watching import CountedTrades, Told, Watching

STRANGERS = SteamId.from_account_id(77)
UNLINKED = replace(CUSTOMER, user_id=9)


class FullDisk:
    """A repository that stores nothing more."""

    def __init__(self, kept: Any) -> None:
        self.get, self.of_provider = kept.get, kept.of_provider

    async def mark_read(self, *_: object, **__: object) -> None:
        raise OSError("disk full")

    mark_notified = remove = expired = mark_read


@pytest.fixture
async def desk(repositories: Repositories) -> Watching:
    opened = Watching(repositories)
    await opened.set_up()
    return opened


async def test_pressed_twice(desk: Watching) -> None:
    """The first press sends a message; the second one finds the same watch, without a reading or a message."""
    first, second = await desk.begin(), await desk.begin()

    assert (first.is_new, second.is_new, first.watch.id) == (True, False, second.watch.id)
    assert desk.messages.shown == [Told("begin", CUSTOMER.user_id, "1", TradeState.OFFERED, is_own=True)]
    assert desk.provider.readings == 1
    assert first.watch.expires_at == desk.clock.now() + KEPT_FOR


async def test_pressed_at_once(desk: Watching) -> None:
    """Of presses at the same time one begins the watch."""
    begun = await asyncio.gather(*(desk.begin() for _ in range(5)))

    assert sorted(each.is_new for each in begun) == [False] * 4 + [True]
    assert len(desk.messages.shown) == 1


@pytest.mark.parametrize(
    ("delivery", "error"), [(Delivery.REFUSED, DirectMessagesClosed), (Delivery.FAILED, DiscordUnavailable)]
)
async def test_closed_direct_messages(desk: Watching, delivery: Delivery, error: type[Exception]) -> None:
    """If the first message does not arrive nothing is watched, and the next press tries again."""
    desk.messages.answer = delivery
    with pytest.raises(error):
        await desk.begin()
    assert await desk.watches() == []

    desk.messages.answer = Delivery.SENT
    assert (await desk.begin()).is_new


@pytest.mark.parametrize(
    ("number", "by", "error"),
    [
        ("never", CUSTOMER, TradeNotWatchable),
        ("strangers", CUSTOMER, TradeNotWatchable),
        ("nobodys", AGENT, TradeNotWatchable),
        ("paid", CUSTOMER, TradeHasEnded),
        ("1", UNLINKED, NotLinked),
        ("1", replace(CUSTOMER, guild_id=GUILD + 5, role_ids=frozenset()), AccessDenied),
    ],
)
async def test_not_watched(desk: Watching, number: str, by: Actor, error: type[SkinDeskError]) -> None:
    """No one watches what they may not see, what is not listed, or what has ended; nothing is sent."""
    desk.provider.put("strangers", TradeState.HELD, STRANGERS)
    desk.provider.put("nobodys", TradeState.HELD, None)
    desk.provider.put("paid", TradeState.COMPLETED)

    with pytest.raises(error):
        await desk.begin(number, by=by)

    assert desk.messages.shown == []
    assert await desk.watches(by) == []


async def test_led_by_another_process(desk: Watching) -> None:
    """Only the process that leads a server reads and tells for its watches, and ends them at their time."""
    await desk.begin()
    readings, shown = desk.provider.readings, len(desk.messages.shown)
    processes = Desk()
    old, new = processes.start(), processes.start()
    leading, other = (old, new) if old.leads(GUILD) else (new, old)
    assert leading.leads(GUILD)

    desk.provider.put("1", TradeState.COMPLETED)
    desk.service = desk.started(workers=other)
    await desk.minute()
    assert desk.provider.readings == readings
    desk.clock.advance(seconds=KEPT_FOR.total_seconds())
    await desk.minute()
    assert len(await desk.watches()) == 1

    desk.service = desk.started(workers=leading)
    await desk.minute()
    assert await desk.watches() == []
    assert len(desk.messages.shown) == shown + 1


async def test_offered_for(desk: Watching) -> None:
    """The button is offered for an open trade with an owner, at a provider that can be read again."""
    desk.service = desk.started(CountedTrades(ProviderName.ASSETPAY))
    one = altered(desk.provider.kept["1"], provider=ProviderName.ASSETPAY_CLIENT)

    assert desk.service.can_watch(one)
    for other in (
        altered(one, provider=ProviderName.ASSETPAY_LEGACY),
        altered(one, provider=ProviderName.MANNCO),
        altered(one, state=TradeState.FAILED),
        altered(one, owner=None),
        altered(one, id="a" * 65),
        altered(one, id="a:b"),
    ):
        assert not desk.service.can_watch(other)
    with pytest.raises(ProviderOff):
        await desk.service.begin(ProviderName.MANNCO, "1", by=CUSTOMER)


async def test_staff_views_are_logged(desk: Watching) -> None:
    """Another's trade needs trades.any and is logged; one's own is not."""
    await desk.begin()
    assert await desk.repositories.audit.newest(GUILD, limit=1, action=AuditAction.WATCH_SET) == []

    await desk.begin(by=AGENT)

    (row,) = await desk.repositories.audit.newest(GUILD, limit=5, action=AuditAction.WATCH_SET)
    assert (row.actor_id, row.subject) == (AGENT.user_id, f"user:{CUSTOMER.user_id}")
    assert row.detail == {"steam_id": str(OWNER), "provider": "skinsback", "trade": "1"}
    assert not desk.messages.shown[-1].is_own


async def test_each_change_once(desk: Watching) -> None:
    """A change is sent once, a change without meaning to the user never, and the end is the last message."""
    desk.provider.put("1", TradeState.PREPARED, status="initiated")
    await desk.begin()
    for state, status, offer_id in (
        (TradeState.PREPARED, "pending", ""),
        (TradeState.OFFERED, "active", "51"),
        (TradeState.OFFERED, "waiting", "51"),
        (TradeState.OFFERED, "active", "52"),
        (TradeState.UNKNOWN, "odd", "52"),
        (TradeState.UNKNOWN, "odder", "52"),
        (TradeState.HELD, "hold", "52"),
        (TradeState.COMPLETED, "completed", "52"),
        (TradeState.REVERTED, "reverted", "52"),
    ):
        desk.provider.put("1", state, status=status, offer_id=offer_id)
        await desk.minute()
        await desk.minute()

    assert [state for _, state in desk.messages.changes] == [
        TradeState.OFFERED,
        TradeState.OFFERED,
        TradeState.UNKNOWN,
        TradeState.UNKNOWN,
        TradeState.HELD,
        TradeState.COMPLETED,
    ]
    assert await desk.watches() == []


async def test_missing(desk: Watching) -> None:
    """A trade that is not listed for a while, or as another account's, is no change."""
    await desk.begin()
    kept = desk.provider.kept.pop("1")
    await desk.minute()
    desk.provider.put("1", TradeState.COMPLETED, STRANGERS)
    await desk.minute()
    assert desk.messages.changes == []

    desk.provider.kept["1"] = altered(kept, state=TradeState.HELD)
    await desk.minute()
    assert desk.messages.changes == [("1", TradeState.HELD)]


async def test_ten(desk: Watching) -> None:
    """The eleventh is refused with the ten that there are; one that ends makes room."""
    for number in range(MOST_WATCHES + 1):
        desk.provider.put(str(number), TradeState.HELD)
    begun = [await desk.begin(str(number)) for number in range(MOST_WATCHES)]

    refused = await desk.service.begin(desk.provider.name, str(MOST_WATCHES), by=CUSTOMER)
    assert isinstance(refused, TooManyWatches)
    assert [each.id for each in refused.watches] == [each.watch.id for each in begun]

    assert await desk.service.stop(begun[3].watch.id, by=AGENT.user_id) is None
    assert await desk.service.stop(begun[3].watch.id, by=CUSTOMER.user_id) is not None
    assert (await desk.begin(str(MOST_WATCHES))).is_new


async def test_too_often(desk: Watching) -> None:
    """One who begins and stops again and again has to wait: each costs a reading and a message."""
    for _ in range(20):
        await desk.service.stop((await desk.begin()).watch.id, by=CUSTOMER.user_id)
    with pytest.raises(TooOften):
        await desk.begin()
    assert desk.provider.readings == len(desk.messages.shown) == 20


async def test_fourteen_days(desk: Watching) -> None:
    """After 14 days the watch ends with a message, and later changes are not told."""
    await desk.begin()
    desk.clock.advance(seconds=KEPT_FOR.total_seconds() - 61)
    await desk.minute()
    assert desk.messages.changes == []

    desk.provider.put("1", TradeState.COMPLETED)
    desk.clock.advance(seconds=1)
    await desk.minute()

    assert desk.messages.changes == [("1", WatchEnd.TIME)]


async def test_outage(desk: Watching) -> None:
    """A provider that fails is asked again when it says so; afterwards one message has the newest state."""
    await desk.begin()
    at_first = desk.provider.readings
    failure = Failure(ProviderName.SKINSBACK, FailureKind.CIRCUIT_OPEN, retry_after=timedelta(minutes=5))
    desk.provider.failure = ProviderError(failure)
    for state in (TradeState.HELD, TradeState.UNKNOWN, TradeState.COMPLETED):
        desk.provider.put("1", state)
        await desk.minute()
    assert desk.provider.readings == at_first + 1

    desk.provider.failure = None
    for _ in range(3):
        await desk.minute()

    assert desk.messages.changes == [("1", TradeState.COMPLETED)]


async def test_refused_account(desk: Watching) -> None:
    """An account that the provider refuses keeps no one else's trades from being read."""
    await desk.link(replace(CUSTOMER, user_id=9), STRANGERS)
    desk.provider.put("2", TradeState.OFFERED, STRANGERS)
    await desk.begin()
    await desk.begin("2", by=UNLINKED)
    desk.provider.refused = OWNER

    desk.provider.put("2", TradeState.HELD, STRANGERS)
    for _ in range(2):
        await desk.minute()

    assert desk.messages.changes == [("2", TradeState.HELD)]


@pytest.mark.parametrize("is_stored", [False, True])
async def test_killed(desk: Watching, *, is_stored: bool) -> None:
    """What was sent and not stored before a crash is sent again under the same nonce: shown once, and never lost."""
    await desk.begin()
    desk.provider.put("1", TradeState.COMPLETED)
    desk.messages.loses_answers = not is_stored
    desk.messages.arrived.clear()
    desk.clock.advance(minutes=1)
    await desk.service.tick()
    await desk.messages.arrived.wait()
    await desk.service.close(within=1.0 if is_stored else 0.0)
    assert await desk.watches() == ([] if is_stored else ["1"])

    desk.messages.loses_answers = False
    desk.service = desk.started()
    await desk.minute()

    assert desk.messages.changes == [("1", TradeState.COMPLETED)]
    assert await desk.watches() == []


async def test_full_disk(desk: Watching) -> None:
    """What was sent and cannot be stored is not sent again at each reading."""
    await desk.begin()
    kept = desk.service._repository
    full: Any = FullDisk(kept)
    desk.service._repository = full
    desk.provider.put("1", TradeState.COMPLETED)
    for _ in range(3):
        with suppress(OSError):
            await desk.minute()
        while desk.service.running:
            await asyncio.wait(desk.service.running)
    assert desk.messages.changes == [("1", TradeState.COMPLETED)]
    assert desk.messages.sent == 2

    desk.service._repository = kept
    await desk.minute()
    assert await desk.watches() == []
    assert desk.messages.sent == 2


async def test_erased_meanwhile(desk: Watching) -> None:
    """What waits for its turn is not told any more once its user's data is erased."""
    agents = [replace(AGENT, user_id=number) for number in (21, 22)]
    for who in (*agents, CUSTOMER):
        await desk.begin(by=who)
        desk.messages.roles[who.user_id] = who
    desk.provider.put("1", TradeState.COMPLETED)
    desk.messages.may_arrive.clear()
    desk.clock.advance(minutes=1)
    await desk.service.tick()
    await desk.repositories.my_data.erase(GUILD, CUSTOMER.user_id, at=desk.clock.now())
    desk.messages.may_arrive.set()
    await desk.minute()

    assert [told.user_id for told in desk.messages.shown if told.kind == "change"] == [21, 22]


async def test_slow_discord(desk: Watching) -> None:
    """While a message waits for Discord, later changes wait for the next reading: no queue grows."""
    await desk.begin()
    desk.messages.may_arrive.clear()
    for state in (TradeState.HELD, TradeState.UNKNOWN, TradeState.COMPLETED):
        desk.provider.put("1", state)
        desk.clock.advance(seconds=60)
        await desk.service.tick()

        assert len(desk.service.running) == 1
    desk.messages.may_arrive.set()
    for _ in range(2):
        await desk.minute()

    assert desk.messages.changes == [("1", TradeState.HELD), ("1", TradeState.COMPLETED)]


async def test_a_thousand(desk: Watching) -> None:
    """1,000 watches cost one reading a minute a provider, as one customer's; all of their users hear of a change."""
    other = CountedTrades(ProviderName.MANNCO)
    desk.service = desk.started(desk.provider, other)
    for number in range(500):
        for provider in (desk.provider, other):
            draft = replace(
                watch(guild_id=GUILD, user_id=1_000 + number, trade_id=str(number)), provider=provider.name, owner=OWNER
            )
            await desk.repositories.watches.add(replace(draft, expires_at=desk.clock.now() + KEPT_FOR), at_most=9)
            provider.put(str(number), TradeState.HELD)
        desk.messages.roles[1_000 + number] = replace(AGENT, user_id=1_000 + number)

    for _ in range(3):
        await desk.minute()
    assert (desk.provider.readings, other.readings) == (3, 3)
    assert desk.provider.callers == other.callers == {WATCHES}

    for number in range(500):
        other.put(str(number), TradeState.COMPLETED)
    await desk.minute()
    assert sorted(int(trade_id) for trade_id, _ in desk.messages.changes) == list(range(500))
    assert desk.messages.most_at_once == 2
    assert other.readings == 4
    for _ in range(2):
        await desk.minute()
    assert (desk.provider.readings, other.readings) == (6, 4), "who has no watch is not read"
