"""Tells members what is kept about them, and forgets it when they say so."""

from bot.domain.access import Actor
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.my_data import Erased, StoredData
from bot.ports import AuditRepository, Clock, MyDataRepository, ResendCards
from bot.services.inventory import InventoryService
from bot.services.sign_in import SignInService
from bot.services.snapshots import SnapshotService


class MyDataService:
    """Everybody's right to their own data: it needs no capability, and reaches nobody else's."""

    def __init__(
        self,
        *,
        repository: MyDataRepository,
        rows: AuditRepository,
        snapshots: SnapshotService,
        inventory: InventoryService,
        cards: ResendCards,
        sign_ins: SignInService,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._rows = rows
        self._snapshots = snapshots
        self._inventory = inventory
        self._cards = cards
        self._sign_ins = sign_ins
        self._clock = clock

    async def export(self, *, by: Actor) -> StoredData:
        """Return everything that this guild's tables hold about the caller, and write down that they asked."""
        await self._snapshots.saved()
        stored = await self._repository.of_user(by.guild_id, by.user_id)
        entry = AuditEntry(by.guild_id, self._clock.now(), by.user_id, AuditAction.DATA_EXPORTED, f"user:{by.user_id}")
        await self._rows.append(entry)
        return stored

    async def forget(self, *, by: Actor) -> Erased:
        """Forget the caller in this guild, in the tables and in memory, as far as that can be.

        It is not copied to the audit channel: a post that names somebody is the opposite of what they asked for.
        """
        await self._snapshots.saved()
        forgotten = await self._repository.forget(by.guild_id, by.user_id, at=self._clock.now())
        self._snapshots.forget(by.guild_id, by.user_id)
        self._cards.forget(by.guild_id, by.user_id)
        self._sign_ins.forget(by.guild_id, by.user_id)
        if forgotten.link is not None:
            self._inventory.forget(forgotten.link.steam_id)
        return forgotten

    async def wipe(self) -> None:
        """Leave nothing on the disk either of who was forgotten; call it every few minutes."""
        await self._repository.wipe()
