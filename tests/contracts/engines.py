"""The storage engines that the contract suites run on: another engine is one more entry in ``ENGINES``."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.ports import (
    AuditRepository,
    GrantRepository,
    GuildSettingsRepository,
    HaltRepository,
    LinkRepository,
    PagesRepository,
    ResendRepository,
)
from bot.storage.audit import SqliteAuditRepository
from bot.storage.database import Database
from bot.storage.grants import SqliteGrantRepository
from bot.storage.halts import SqliteHaltRepository
from bot.storage.links import SqliteLinkRepository
from bot.storage.pages import SqlitePagesRepository
from bot.storage.resends import SqliteResendRepository
from bot.storage.settings import SqliteGuildSettingsRepository


@dataclass(frozen=True, slots=True)
class Repositories:
    """One engine's repositories over one empty database."""

    grants: GrantRepository
    links: LinkRepository
    settings: GuildSettingsRepository
    resends: ResendRepository
    halts: HaltRepository
    pages: PagesRepository
    audit: AuditRepository


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Repositories]:
    async with Database.open(folder / "desk.db") as db:
        yield Repositories(
            grants=SqliteGrantRepository(db),
            links=SqliteLinkRepository(db),
            settings=SqliteGuildSettingsRepository(db),
            halts=SqliteHaltRepository(db),
            resends=SqliteResendRepository(db),
            pages=SqlitePagesRepository(db),
            audit=SqliteAuditRepository(db),
        )


ENGINES: dict[str, Callable[[Path], AbstractAsyncContextManager[Repositories]]] = {"sqlite": _sqlite}
