"""The services, as the cogs and the building blocks of the user interface are given them."""

from dataclasses import dataclass

from bot.ports import Explanations
from bot.services.access import AccessService
from bot.services.access_review import AccessReview
from bot.services.audit import AuditService
from bot.services.background import Job
from bot.services.inventory import InventoryService
from bot.services.links import LinkService
from bot.services.my_data import MyDataService
from bot.services.pauses import PauseService
from bot.services.record import RecordService
from bot.services.resend_delivery import ResendDelivery
from bot.services.resends import ResendService
from bot.services.settings import SettingsService
from bot.services.sign_in import SignInService
from bot.services.snapshots import SnapshotService
from bot.services.status import StatusService
from bot.services.trades import TradeService


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a command can ask for. ``page_size`` is how many items a page shows."""

    access: AccessService
    audit: AuditService
    access_review: AccessReview
    links: LinkService
    settings: SettingsService
    inventory: InventoryService
    trades: TradeService
    resends: ResendService
    delivery: ResendDelivery
    pauses: PauseService
    snapshots: SnapshotService
    status: StatusService
    record: RecordService
    my_data: MyDataService
    sign_ins: SignInService
    explanations: Explanations
    background: tuple[Job, ...]
    page_size: int
