"""Opens the database that the configuration names: the file, or PostgreSQL."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from bot.config import Settings
from bot.ports.identify import IdentifySlots
from bot.ports.windows import SharedWindows
from bot.ports.workers import Workers
from bot.storage.database import Database, Guard
from bot.storage.errors import DriverMissing
from bot.storage.metrics import EngineMetrics


@dataclass(frozen=True, slots=True)
class Storage:
    """An open database and what belongs to its engine."""

    database: Database
    guard: Guard
    workers: Workers
    metrics: EngineMetrics
    windows: SharedWindows | None = None
    """The limits of providers that several processes keep together; None if this one is alone."""
    identify_slots: IdentifySlots | None = None
    """The times at which they begin sessions with Discord; None if this one is alone."""


async def open_storage(settings: Settings, stack: AsyncExitStack, *, accepts_new: bool, at: datetime) -> Storage:
    """Open the database until ``stack`` closes; StorageError is a reason not to start."""
    me = uuid4().hex
    if settings.database.url:
        try:
            return await _open_postgres(settings, stack, me=me, accepts_new=accepts_new, at=at)
        except ImportError as error:
            if not (error.name or "").startswith("psycopg"):
                raise
            raise DriverMissing(str(error)) from None
    # Not both engines: each takes memory.
    from bot.storage.only_worker import OnlyWorker  # noqa: PLC0415 -- see above
    from bot.storage.sqlite.maintenance.admission import open_admitted  # noqa: PLC0415 -- see above
    from bot.storage.sqlite.metrics import SqliteMetrics  # noqa: PLC0415 -- see above

    path = settings.database.path
    database = await stack.enter_async_context(open_admitted(path, accepts_new=accepts_new, at=at))
    return Storage(database, database.guard, OnlyWorker(me, settings.discord.shard_group), SqliteMetrics(path))


async def _open_postgres(
    settings: Settings, stack: AsyncExitStack, *, me: str, accepts_new: bool, at: datetime
) -> Storage:
    from bot.storage.postgres.admission import open_admitted  # noqa: PLC0415 -- see above
    from bot.storage.postgres.identify import PostgresIdentifySlots  # noqa: PLC0415 -- see above
    from bot.storage.postgres.metrics import PostgresMetrics  # noqa: PLC0415 -- see above
    from bot.storage.postgres.windows import PostgresWindows  # noqa: PLC0415 -- see above
    from bot.storage.postgres.workers import PostgresWorkers  # noqa: PLC0415 -- see above

    url, group = settings.database.url.get_secret_value(), settings.discord.shard_group
    database = await stack.enter_async_context(open_admitted(url, accepts_new=accepts_new, at=at))
    windows = PostgresWindows(database)
    await windows.purge()
    stack.push_async_callback(windows.close)
    slots = PostgresIdentifySlots(database)
    workers = await stack.enter_async_context(PostgresWorkers.among(me, database, url, group))
    return Storage(database, database.guard, workers, PostgresMetrics(database), windows, slots)
