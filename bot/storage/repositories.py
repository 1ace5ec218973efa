"""All repositories over one database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.ports import (
    AuditRepository,
    CommandSyncs,
    FirstGuildRepository,
    GrantRepository,
    GuildSettingsRepository,
    LinkRepository,
    MyDataRepository,
    SignInRepository,
    SnapshotRepository,
)
from bot.ports.notes import NoteRepository
from bot.ports.references import ReferenceRepository
from bot.ports.resends import PauseRepository, ResendRepository
from bot.ports.watches import WatchRepository
from bot.storage.audit.log import SqlAuditRepository
from bot.storage.command_syncs import SqlCommandSyncs
from bot.storage.database import Database
from bot.storage.first_guild import SqlFirstGuildRepository
from bot.storage.grants import SqlGrantRepository
from bot.storage.guild_settings import SqlGuildSettingsRepository, SqlPauseRepository
from bot.storage.links import SqlLinkRepository
from bot.storage.my_data import SqlMyDataRepository
from bot.storage.notes import SqlNoteRepository
from bot.storage.references import SqlReferenceRepository
from bot.storage.resends import SqlResendRepository
from bot.storage.sign_ins import SqlSignInRepository
from bot.storage.snapshots import SqlSnapshotRepository
from bot.storage.watches import SqlWatchRepository


@dataclass(frozen=True, slots=True)
class Repositories:
    """One of each kind."""

    grants: GrantRepository
    links: LinkRepository
    settings: GuildSettingsRepository
    first_guild: FirstGuildRepository
    pauses: PauseRepository
    resends: ResendRepository
    snapshots: SnapshotRepository
    references: ReferenceRepository
    audit: AuditRepository
    my_data: MyDataRepository
    sign_ins: SignInRepository
    watches: WatchRepository
    notes: NoteRepository
    command_syncs: CommandSyncs

    @classmethod
    def over(cls, db: Database, *, worker: str, now: Callable[[], datetime]) -> Self:
        """Make them for a process; ``now`` dates the first grants of a guild.

        Use one set for each open database: some keep rows in memory.
        """
        return cls(
            grants=SqlGrantRepository(db, now=now),
            links=SqlLinkRepository(db),
            settings=SqlGuildSettingsRepository(db),
            first_guild=SqlFirstGuildRepository(db),
            pauses=SqlPauseRepository(db),
            resends=SqlResendRepository(db, worker),
            snapshots=SqlSnapshotRepository(db),
            references=SqlReferenceRepository(db),
            audit=SqlAuditRepository(db),
            my_data=SqlMyDataRepository(db),
            sign_ins=SqlSignInRepository(db),
            watches=SqlWatchRepository(db),
            notes=SqlNoteRepository(db),
            command_syncs=SqlCommandSyncs(db),
        )
