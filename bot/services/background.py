"""Lists the work that SkinDesk does without being asked."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import DatabaseUnavailable
from bot.services.audit import AuditService
from bot.services.my_data import MyDataService
from bot.services.references import ReferenceService
from bot.services.resend_delivery import ResendDelivery
from bot.services.sign_in import SignInService
from bot.services.snapshots import SnapshotService
from bot.services.watches import TICK, WatchService

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is repeated. ``waits_first``: the first round comes after the first interval, not at the start.

    ``is_housekeeping``: of several processes only the one that leads the housekeeping does it.
    """

    name: str
    every: timedelta
    work: Callable[[], Awaitable[object]]
    waits_first: bool = False
    is_housekeeping: bool = False

    async def run(self) -> None:
        """Do one round. A failure is logged; the next round tries again."""
        try:
            await self.work()
        except DatabaseUnavailable as error:  # the guard has logged when that began
            _log.debug("background job waits for the database job=%s fault=%s", self.name, error)
        except Exception:  # noqa: BLE001 -- the loop has to go on
            _log.exception("background job failed job=%s", self.name)


def background_jobs(
    *,
    delivery: ResendDelivery,
    snapshots: SnapshotService,
    references: ReferenceService,
    sign_ins: SignInService,
    my_data: MyDataService,
    watches: WatchService,
    check_database: Callable[[], Awaitable[object]],
    audit: AuditService,
) -> tuple[Job, ...]:
    """Return every background job. Of a server's work each process does only what it leads."""
    return (
        Job("database", timedelta(seconds=1), check_database),
        Job("resends", timedelta(seconds=5), delivery.tick),
        Job("cards", timedelta(seconds=5), delivery.refresh_cards),
        Job("watches", TICK, watches.tick),
        Job("purge snapshots", timedelta(minutes=30), snapshots.purge),
        Job("purge references", timedelta(minutes=30), references.purge),
        Job("purge sign-ins", timedelta(minutes=30), sign_ins.purge),
        Job("remove old views", timedelta(hours=6), audit.remove_old_views, is_housekeeping=True),
        Job("wipe", timedelta(minutes=10), my_data.wipe, waits_first=True),
    )
