"""Views by staff are in the audit log, or nothing is shown; and reading the log."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.access import Actor, Capability
from bot.domain.audit import VIEWS, AuditAction, AuditEntry, AuditRow, DamagedRow
from bot.domain.errors import AccessDenied, InvalidInput, ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryQuery
from bot.domain.links import Link, LinkSource
from bot.domain.settings import Setting
from bot.domain.snapshots import InventoryAnswer, TradesAnswer
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope
from bot.providers.mannco_source import ManncoSource
from bot.services.audit import MOST_ROWS, Extract
from bot.services.inventory import InventoryRequest, InventoryService
from bot.services.trades import TradeService, TradesRequest
from tests.contracts.engines import Repositories
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock
from tests.fakes.trade_provider import FakeTradeProvider
from tests.fakes.trade_sources import hints
from tests.services.members import AGENT, CUSTOMER, GUILD, OTHER_GUILD, Members

READER = Actor(GUILD, 3, frozenset({GUILD, 8}))
MINE, THEIRS, UNLINKED = (SteamId.from_account_id(number) for number in (11, 12, 13))


def url(account: SteamId) -> str:
    return f"https://steamcommunity.com/tradeoffer/new/?partner={account.account_id}&token=SeCrEt12"


class Shop:
    """A provider of empty inventories, or of a failure."""

    games = frozenset(Game)

    def __init__(self, name: ProviderName = ProviderName.ASSETPAY) -> None:
        self.name = name
        self.failure: FailureKind | None = None

    async def look_up(self, query: InventoryQuery) -> Inventory:
        if self.failure is not None:
            raise ProviderError(Failure(self.name, self.failure))
        return Inventory(self.name, query.trade_url.steam_id, query.game, (), 0, FakeClock().now())


class ReadOnly:
    """An audit log that cannot be appended to."""

    def __init__(self, repositories: Repositories) -> None:
        self._rows = repositories.audit

    async def append(self, entry: AuditEntry) -> None:
        raise OSError("disk full")

    async def newest_as_found(self, guild_id: int, **options: Any) -> list[AuditRow | DamagedRow]:
        return list(await self._rows.newest_as_found(guild_id, **options))


class Services(Members):
    """The services over real storage. The customer is linked to THEIRS; the agent, linked to MINE, may see them all."""

    def __init__(self, repositories: Repositories) -> None:
        self.channel = FakeAuditChannel()
        super().__init__(repositories, self.channel)
        self.shops = (Shop(), Shop(ProviderName.SKINSBACK))
        common: dict[str, Any] = {
            "links": repositories.links,
            "audit": self.audit,
            "hints": hints(),
            "clock": self.clock,
        }
        self.inventory = InventoryService(providers=self.shops, default=ProviderName.ASSETPAY, **common)
        self.provider = FakeTradeProvider()
        self.provider.add(1, THEIRS)
        self.trades = TradeService(
            sources=(ManncoSource(self.provider),), resending=self.provider, access=self.access, **common
        )

    async def list_for(self, *, by: Actor, **options: Any) -> TradesAnswer:
        return await self.trades.list_for(TradesRequest(**options), by=await self.access.viewer(by))

    async def look_up(self, request: InventoryRequest, *, by: Actor) -> InventoryAnswer:
        return await self.inventory.look_up(request, by=await self.access.viewer(by))

    async def newest(self, *, by: Actor, **options: Any) -> Extract:
        return await self.audit.newest(by=await self.access.viewer(by), **options)

    async def views(self, guild_id: int = GUILD) -> list[tuple[str, str, str, dict[str, str]]]:
        """Return actor, action, subject and details of the views in the log, the newest first."""
        rows = await self.repositories.audit.newest(guild_id, limit=1000)
        return [
            (row.actor, row.action.value, row.subject, dict(row.detail))
            for row in rows
            if row.action.value.endswith(".viewed")
        ]


@pytest.fixture
async def services(repositories: Repositories) -> Services:
    opened = Services(repositories)
    for guild_id in (GUILD, OTHER_GUILD):
        await opened.grant(Capability.TRADES_ANY, Capability.INVENTORY_ANY, guild_id=guild_id)
    await opened.grant(Capability.READ_AUDIT, role=8)
    await opened.link(CUSTOMER, THEIRS)
    await opened.link(AGENT, MINE)
    return opened


async def test_trades(services: Services) -> None:
    """The subject is the linked member, or the account if it is not linked."""
    await services.list_for(by=AGENT, member_id=CUSTOMER.user_id)
    await services.list_for(by=AGENT, steam_id=url(THEIRS), scope=Scope.ALL)
    await services.list_for(by=AGENT, steam_id=str(UNLINKED))
    await services.list_for(by=AGENT)

    assert list(reversed(await services.views())) == [
        ("user:2", "trades.viewed", "user:1", {"steam_id": str(THEIRS), "scope": "active"}),
        ("user:2", "trades.viewed", "user:1", {"steam_id": str(THEIRS), "scope": "all"}),
        ("user:2", "trades.viewed", f"steam:{UNLINKED}", {"steam_id": str(UNLINKED), "scope": "active"}),
        ("user:2", "trades.viewed", "guild", {"scope": "active"}),
    ]


async def test_inventories(services: Services) -> None:
    """The details are the game and the providers asked, and no token."""
    await services.look_up(InventoryRequest(url(THEIRS)), by=AGENT)
    await services.look_up(InventoryRequest(url(UNLINKED), provider="all", game=Game.RUST), by=AGENT)

    assert list(reversed(await services.views())) == [
        ("user:2", "inventory.viewed", "user:1", _inventory(THEIRS, "cs2", "assetpay")),
        ("user:2", "inventory.viewed", f"steam:{UNLINKED}", _inventory(UNLINKED, "rust", "assetpay,skinsback")),
    ]
    assert "SeCrEt12" not in str(await services.views())


def _inventory(account: SteamId, game: str, provider: str) -> dict[str, str]:
    return {"steam_id": str(account), "game": game, "provider": provider}


async def test_own_account(services: Services) -> None:
    await services.list_for(by=CUSTOMER)
    await services.look_up(InventoryRequest(url(THEIRS)), by=CUSTOMER)
    await services.list_for(by=AGENT, member_id=AGENT.user_id)
    await services.list_for(by=AGENT, steam_id=str(MINE))
    await services.look_up(InventoryRequest(url(MINE)), by=AGENT)

    assert await services.views() == []


async def test_self_made_link(services: Services) -> None:
    """An account that an agent linked to themselves is not their own; one linked by sign-in is."""
    self_made = Link(GUILD, AGENT.user_id, UNLINKED, LinkSource.STAFF, AGENT.user_id, services.clock.now())
    await services.repositories.links.put(self_made)
    await services.list_for(by=AGENT, steam_id=str(UNLINKED))
    await services.repositories.links.put(replace(self_made, source=LinkSource.SIGN_IN))
    await services.list_for(by=AGENT, steam_id=str(UNLINKED))

    assert [(actor, subject) for actor, _, subject, _ in await services.views()] == [("user:2", "user:2")]


async def test_every_view_counts(services: Services) -> None:
    for refresh in (False, False, True):
        await services.look_up(InventoryRequest(url(THEIRS), refresh=refresh), by=AGENT)

    assert len(await services.views()) == 3


async def test_nothing_was_shown(services: Services) -> None:
    """A refused actor or a provider without an answer is no view; a provider that refuses the account is one."""
    with pytest.raises(AccessDenied):
        await services.look_up(InventoryRequest(url(MINE)), by=CUSTOMER)
    with pytest.raises(AccessDenied):
        await services.list_for(by=CUSTOMER, steam_id=str(MINE))
    with pytest.raises(InvalidInput):
        await services.list_for(by=AGENT, member_id=99)
    services.provider.cannot_be_read = ProviderError(Failure(ProviderName.MANNCO, FailureKind.TIMED_OUT))
    with pytest.raises(ProviderError):
        await services.list_for(by=AGENT)
    for kind in (FailureKind.TIMED_OUT, FailureKind.RATE_LIMITED_LOCALLY, FailureKind.UNREACHABLE):
        services.shops[0].failure = kind
        await services.look_up(InventoryRequest(url(THEIRS)), by=AGENT)
    assert await services.views() == []

    services.shops[0].failure = FailureKind.REFUSED
    await services.look_up(InventoryRequest(url(THEIRS)), by=AGENT)
    assert len(await services.views()) == 1


async def test_view_cannot_be_appended(services: Services) -> None:
    """Nothing is shown then, neither accounts nor the log, except one's own account."""
    services.audit._rows = ReadOnly(services.repositories)  # type: ignore[assignment] # only these are called

    for asked in (
        services.look_up(InventoryRequest(url(THEIRS)), by=AGENT),
        services.list_for(by=AGENT, member_id=CUSTOMER.user_id),
        services.list_for(by=AGENT),
        services.newest(by=READER),
    ):
        with pytest.raises(OSError, match="disk full"):
            await asked
    assert [each.id for each in (await services.list_for(by=CUSTOMER, scope=Scope.ALL)).trades] == ["1"]


async def test_another_guild(services: Services) -> None:
    """A link of another guild is not used as the subject."""
    await services.list_for(by=replace(AGENT, guild_id=OTHER_GUILD), steam_id=str(THEIRS))

    assert [view[2] for view in await services.views(OTHER_GUILD)] == [f"steam:{THEIRS}"]
    assert await services.views() == []


async def test_post(services: Services) -> None:
    """A post is the row of the change, with the details meant for the channel; without a channel there is none."""
    entry = AuditEntry(GUILD, services.clock.now(), 1, AuditAction.ACCESS_GRANTED, "role:5", {"capability": "a"})
    row = await services.repositories.audit.append(entry)
    await services.audit.announce(row)
    await services.repositories.settings.put(GUILD, Setting.AUDIT_CHANNEL, 5, by=9, at=services.clock.now())
    await services.audit.announce(row)
    await services.audit.announce(row, shown={"state": "sent"})

    assert services.channel.posts == [row, replace(row, detail={"state": "sent"})]


async def test_reading_the_log(services: Services) -> None:
    """Reading needs audit.read, is bounded, and leaves its own row out."""
    with pytest.raises(AccessDenied):
        await services.newest(by=AGENT)
    with pytest.raises(InvalidInput, match="action: unknown"):
        await services.newest(by=READER, action="grants")
    assert await services.views() == []

    few = await services.newest(by=READER, limit=2)
    every = await services.newest(by=READER, limit=10**9)

    assert (len(few.rows), few.has_older, every.has_older) == (2, True, False)
    assert [row.action for row in every.rows[:2] if isinstance(row, AuditRow)] == [
        AuditAction.AUDIT_VIEWED,
        AuditAction.LINK_SET,
    ]
    assert (await services.views())[0] == ("user:3", "audit.viewed", "guild", {"limit": str(MOST_ROWS)})


async def test_erased_during_a_lookup(services: Services) -> None:
    """An inventory that is looked up while its account is erased is shown and not cached."""
    begun, going_on = asyncio.Event(), asyncio.Event()
    at_once = services.shops[0].look_up

    async def slowly(query: InventoryQuery) -> Inventory:
        begun.set()
        await going_on.wait()
        return await at_once(query)

    services.shops[0].look_up = slowly  # type: ignore[method-assign] # the same, only later
    asked = asyncio.create_task(services.look_up(InventoryRequest(url(THEIRS)), by=CUSTOMER))
    await begun.wait()
    services.inventory.evict(THEIRS)
    going_on.set()

    assert (await asked).answers[0].inventory is not None
    assert len(services.inventory._cache) == 0
    await services.look_up(InventoryRequest(url(THEIRS)), by=CUSTOMER)
    await services.look_up(InventoryRequest(url(MINE)), by=AGENT)
    services.inventory.evict(THEIRS)
    assert [account.steam_id for account, _ in services.inventory._cache] == [MINE]


async def test_old_views_are_removed(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views of more than a year ago are removed a few at a time, and nothing younger."""
    monkeypatch.setattr("bot.services.audit.REMOVED_AT_ONCE", 2)
    monkeypatch.setattr("bot.services.audit._BETWEEN_REMOVALS", 0.0)
    others = [row for row in await services.repositories.audit.newest(GUILD, limit=99) if row.action not in VIEWS]
    for days in (0, 0, 0, 30):
        services.clock.advance(days=days)
        await services.list_for(by=AGENT)
    services.clock.advance(days=365)

    await services.audit.remove_old_views()

    rows = await services.repositories.audit.newest(GUILD, limit=99)
    assert [row.detail["views"] for row in rows if row.action is AuditAction.VIEWS_REMOVED] == ["1", "2"]
    assert len(await services.views()) == 1
    assert [row for row in rows if row in others] == others
    assert services.repositories.is_sound()
