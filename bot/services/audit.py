"""Copies what the repositories wrote down to the guild's audit channel."""

import asyncio
import logging

from bot.domain.audit import AuditEntry, AuditRow
from bot.ports import AuditChannel, AuditRepository, GuildSettingsRepository

_log = logging.getLogger(__name__)

POSTED_WITHIN = 2.0
"""Seconds that the answer to a deed waits for its copy: fewer than a stop leaves to what is under way."""

_AMONG = 5
"""Newest rows of one action on one subject among which an entry is looked for: it has only just been written."""


class AuditService:
    """Posts entries where the guild wants to read them. The rows themselves belong to the deed's transaction.

    A post names the row it copies and where the chain stood after it. The posts are out of the reach of whoever can
    write to the file: a record that was rewritten as a whole no longer fits them.

    The deed is done when it is announced, and what becomes of its copy must not make it look otherwise: a post that
    takes long is finished beside the answer, and one that fails is logged.
    """

    def __init__(
        self, *, settings: GuildSettingsRepository, channel: AuditChannel, rows: AuditRepository | None = None
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._rows = rows
        self._under_way: set[asyncio.Task[None]] = set()
        self._late: dict[asyncio.Task[None], int] = {}

    async def announce(self, entry: AuditEntry) -> None:
        """Post an entry to the audit channel, if the guild has set one; wait :data:`POSTED_WITHIN` for that at most.

        Where an earlier post to the guild's channel is still on its way, nobody waits for the next one as well.
        """
        task = asyncio.create_task(self._copy(entry))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        is_slow = entry.guild_id in self._late.values()
        _, late = await asyncio.wait({task}, timeout=0.0 if is_slow else POSTED_WITHIN)
        self._late.update(dict.fromkeys(late, entry.guild_id))

    async def close(self, *, within: float) -> None:
        """Leave the posts under way so many seconds; what is not there by then stands in the record alone."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        for task in (left := tuple(self._under_way)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _copy(self, entry: AuditEntry) -> None:
        try:
            await self._post(entry)
        except Exception:  # noqa: BLE001 -- the deed is done, and nobody waits for this
            _log.exception("audit entry not copied action=%s guild=%s", entry.action.value, entry.guild_id)

    async def _post(self, entry: AuditEntry) -> None:
        settings = await self._settings.of_guild(entry.guild_id)
        if settings.audit_channel_id is not None:
            row = await self._row_of(entry)
            await self._channel.post(entry, channel_id=settings.audit_channel_id, row=row)

    async def _row_of(self, entry: AuditEntry) -> AuditRow | None:
        """Return the newest row that says the same; what only a post says, such as a state, is no difference."""
        if self._rows is None:
            return None
        rows = await self._rows.newest(entry.guild_id, limit=_AMONG, action=entry.action, subject=entry.subject)
        for row in rows:
            if row.actor_id == entry.actor_id and all(row.detail.get(k, v) == v for k, v in entry.detail.items()):
                return row
        return None

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._late.pop(task, None)
