"""Shows the record to those who may read it, and keeps in it who of the staff looked at whose things."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry, AuditRow, DamagedRow
from bot.domain.errors import InvalidInput
from bot.domain.steam import SteamId
from bot.ports import AuditRepository, Clock, LinkRepository
from bot.services.access import AccessService

MOST_ROWS = 1_000
"""As many rows as one answer can hold."""


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of the record, the newest first; ``has_older`` says that more would match."""

    rows: tuple[AuditRow | DamagedRow, ...]
    has_older: bool


class RecordService:
    """The record as it is read; whatever else is written to it belongs to the unit of the deed itself."""

    def __init__(self, *, rows: AuditRepository, links: LinkRepository, access: AccessService, clock: Clock) -> None:
        self._rows = rows
        self._links = links
        self._access = access
        self._clock = clock

    async def newest(
        self, *, by: Actor, user_id: int | None = None, action: str | None = None, limit: int = 20
    ) -> Extract:
        """Return the newest rows in which a user acts or is acted upon, of one action; of all where not given.

        Needs ``audit.read``; InvalidInput for an action that is none. That it was read is written down, too: after
        the reading, so that it is not the first thing shown, and before the answer, so that there is none without it.
        """
        await self._access.require(Capability.READ_AUDIT, of=by)
        chosen = None if action is None else _action(action)
        limit = min(max(limit, 1), MOST_ROWS)
        rows = await self._rows.newest_as_found(by.guild_id, limit=limit + 1, user_id=user_id, action=chosen)
        detail = {"limit": str(limit)} if chosen is None else {"action": chosen.value, "limit": str(limit)}
        subject = "guild" if user_id is None else f"user:{user_id}"
        await self._write(AuditAction.AUDIT_VIEWED, subject, detail, by=by)
        return Extract(tuple(rows[:limit]), has_older=len(rows) > limit)

    async def actions_like(self, text: str, *, by: Actor) -> tuple[AuditAction, ...]:
        """Return the actions whose words have ``text`` in them; none to somebody who may not read the record."""
        if Capability.READ_AUDIT not in await self._access.capabilities_of(by):
            return ()
        wanted = text.strip().casefold()
        return tuple(action for action in AuditAction if wanted in action.value)

    async def look(self, action: AuditAction, account: SteamId | None, detail: Mapping[str, str], *, by: Actor) -> None:
        """Write down that somebody is about to be shown an account's things, or everybody's where it is None.

        One's own account is no look, unless one has linked it to oneself as staff: that proves nothing. Whoever
        shows something calls this first and lets its failure through: what cannot be written down is not shown.

        Looks are not copied to the audit channel. There they would bury the decisions it is for, and tell whoever
        reads along whose things are being looked into; those concerned read them with ``/mydata export``, those who
        oversee the staff with ``/audit``.
        """
        subject = "guild"
        if account is not None:
            link = await self._links.of_steam_id(by.guild_id, account)
            if link is not None and link.user_id == by.user_id and not link.is_self_made:
                return
            subject = f"steam:{account}" if link is None else f"user:{link.user_id}"
            detail = {"steam_id": str(account), **detail}
        await self._write(action, subject, detail, by=by)

    async def _write(self, action: AuditAction, subject: str, detail: Mapping[str, str], *, by: Actor) -> None:
        await self._rows.append(AuditEntry(by.guild_id, self._clock.now(), by.user_id, action, subject, detail))


def _action(word: str) -> AuditAction:
    try:
        return AuditAction(word.strip().casefold())
    except ValueError:
        raise InvalidInput("action", "unknown") from None
