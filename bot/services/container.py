"""The services, as cogs and user interface get them."""

from dataclasses import dataclass

from bot.ports import Clock, Explanations
from bot.ports.workers import Workers
from bot.services.access import AccessService
from bot.services.audit import AuditService
from bot.services.background import Job
from bot.services.customers import CustomerService
from bot.services.guilds import ServedGuilds
from bot.services.inventory import InventoryService
from bot.services.links import LinkService
from bot.services.my_data import MyDataService
from bot.services.pauses import PauseService
from bot.services.references import ReferenceService
from bot.services.resend_delivery import ResendDelivery
from bot.services.resend_queue import ResendQueueService
from bot.services.resends import ResendService
from bot.services.settings import SettingsService
from bot.services.sign_in import SignInService
from bot.services.snapshots import SnapshotService
from bot.services.status import StatusService
from bot.services.trade_context import TradeContextService
from bot.services.trades import TradeService
from bot.services.watches import WatchService


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that commands use. ``page_size`` is the number of items on a page."""

    workers: Workers
    guilds: ServedGuilds
    access: AccessService
    audit: AuditService
    links: LinkService
    settings: SettingsService
    inventory: InventoryService
    trades: TradeService
    trade_context: TradeContextService
    watches: WatchService
    customers: CustomerService
    resends: ResendService
    resend_queue: ResendQueueService
    pauses: PauseService
    delivery: ResendDelivery
    snapshots: SnapshotService
    status: StatusService
    my_data: MyDataService
    references: ReferenceService
    sign_ins: SignInService
    explanations: Explanations
    clock: Clock
    background: tuple[Job, ...]
    page_size: int
