"""Copies what the repositories wrote down to the guild's audit channel."""

from bot.domain.audit import AuditEntry, AuditRow
from bot.ports import AuditChannel, AuditRepository, GuildSettingsRepository

_AMONG = 5
"""Newest rows of one action on one subject among which an entry is looked for: it has only just been written."""


class AuditService:
    """Posts entries where the guild wants to read them. The rows themselves belong to the deed's transaction.

    A post names the row it copies and where the chain stood after it. The posts are out of the reach of whoever can
    write to the file: a record that was rewritten as a whole no longer fits them.
    """

    def __init__(
        self, *, settings: GuildSettingsRepository, channel: AuditChannel, rows: AuditRepository | None = None
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._rows = rows

    async def announce(self, entry: AuditEntry) -> None:
        """Post an entry to the audit channel, if the guild has set one."""
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
