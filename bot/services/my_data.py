"""Exports and erases a member's data."""

from datetime import timedelta

import attrs

from bot.domain.access import Actor
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.my_data import Erased, StoredData
from bot.ports import AuditRepository, Clock, MyDataRepository
from bot.ports.resends import ResendCards
from bot.services.inventory import InventoryService
from bot.services.person_limit import PersonLimit
from bot.services.references import ReferenceService
from bot.services.sign_in import SignInService
from bot.services.snapshots import SnapshotService

USES = 2
WITHIN = timedelta(minutes=10)
"""How often one member may export their data, and erase it: each is a row of the audit log, which stays for ever."""


@attrs.define(kw_only=True, eq=False)
class MyDataService:
    """Members' own data: no capability is needed. TooOften after :data:`USES` within :data:`WITHIN`."""

    _repository: MyDataRepository
    _rows: AuditRepository
    _snapshots: SnapshotService
    _references: ReferenceService
    _inventory: InventoryService
    _cards: ResendCards
    _sign_ins: SignInService
    _clock: Clock
    _exports: PersonLimit = attrs.field(init=False)
    _erasures: PersonLimit = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._exports = PersonLimit(USES, WITHIN, self._clock)
        self._erasures = PersonLimit(USES, WITHIN, self._clock)

    async def export(self, *, by: Actor) -> StoredData:
        """Return everything stored about the actor in this guild, and append that they asked to the audit log."""
        self._exports.use(by.guild_id, by.user_id)
        await self._snapshots.saved()
        await self._references.saved()
        stored = await self._repository.of_user(by.guild_id, by.user_id)
        entry = AuditEntry(by.guild_id, self._clock.now(), by.user_id, AuditAction.DATA_EXPORTED, f"user:{by.user_id}")
        await self._rows.append(entry)
        return stored

    async def erase(self, *, by: Actor) -> Erased:
        """Erase the actor's data in this guild, in the database and in memory, except what has to stay.

        Nothing is posted to the audit channel: a post would name the member again.
        """
        self._erasures.use(by.guild_id, by.user_id)
        await self._snapshots.saved()
        self._references.evict(by.guild_id, by.user_id)  # those being saved are stored before the erasure
        erased = await self._repository.erase(by.guild_id, by.user_id, at=self._clock.now())
        self._snapshots.evict(by.guild_id, by.user_id)
        self._cards.evict(by.guild_id, by.user_id)
        self._sign_ins.evict(by.guild_id, by.user_id)
        if erased.link is not None:
            self._inventory.evict(erased.link.steam_id)
        return erased

    async def wipe(self) -> None:
        """Remove erased data from the disk, too; call it every few minutes."""
        await self._repository.wipe()
