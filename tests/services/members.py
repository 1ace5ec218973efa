"""A guild's members, and the services behind their rights over real storage."""

from bot.domain.access import Actor, Capability, Grant
from bot.domain.failures import ProviderName
from bot.domain.links import Link, LinkSource
from bot.domain.steam import SteamId
from bot.ports import AuditChannel
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.inventory import InventoryService
from bot.services.snapshots import SnapshotService
from bot.services.trades import TradeService
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock
from tests.fakes.guilds import every_guild
from tests.fakes.inventory_provider import FakeInventoryProvider
from tests.fakes.trade_sources import hints

GUILD, OTHER_GUILD, SUPPORT = 100, 200, 7
CUSTOMER = Actor(GUILD, 1, frozenset({GUILD}))
AGENT = Actor(GUILD, 2, frozenset({GUILD, SUPPORT}))
OWNER = Actor(GUILD, 3, frozenset({GUILD}), administers=True)


class Members:
    """Rights, links and the audit log. A test adds the service that it tests."""

    def __init__(self, repositories: Repositories, channel: AuditChannel | None = None) -> None:
        self.repositories = repositories
        self.clock = FakeClock(NOW)
        rows, links = repositories.audit, repositories.links
        self.audit = AuditService(
            rows=rows,
            settings=repositories.settings,
            guilds=every_guild(),
            channel=channel or FakeAuditChannel(),
            clock=self.clock,
        )
        self.access = AccessService(
            grants=repositories.grants, links=links, rows=rows, audit=self.audit, clock=self.clock
        )

    def snapshots_of(self, trades: TradeService) -> SnapshotService:
        """Return the snapshots of a new process."""
        inventory = InventoryService(
            providers=(FakeInventoryProvider(),),
            default=ProviderName.ASSETPAY,
            links=self.repositories.links,
            audit=self.audit,
            hints=hints(),
            clock=self.clock,
        )
        return SnapshotService(
            repository=self.repositories.snapshots,
            inventory=inventory,
            trades=trades,
            access=self.access,
            clock=self.clock,
        )

    async def grant(self, *capabilities: Capability, role: int = SUPPORT, guild_id: int = GUILD) -> None:
        for capability in capabilities:
            await self.repositories.grants.grant(Grant(guild_id, role, capability), by=0, at=NOW)

    async def revoke(self, *capabilities: Capability, role: int = GUILD) -> None:
        for capability in capabilities:
            await self.repositories.grants.revoke(Grant(GUILD, role, capability), by=0, at=NOW)

    async def link(self, actor: Actor, steam_id: SteamId) -> None:
        """Link a member by another member of the staff."""
        await self.repositories.links.put(Link(GUILD, actor.user_id, steam_id, LinkSource.STAFF, 0, NOW))
