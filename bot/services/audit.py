"""Records views, shows the audit log, and posts what happened to the guild's audit channel."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import attrs

from bot.domain.access import Actor, Capability, Viewer
from bot.domain.audit import AuditAction, AuditEntry, AuditRow, DamagedRow, views_removed_before
from bot.domain.errors import AccessDenied, DatabaseUnavailable, InvalidInput
from bot.domain.links import Link
from bot.domain.steam import SteamId
from bot.ports import AuditChannel, AuditRepository, Clock, GuildSettingsRepository
from bot.services.guilds import ServedGuilds

_log = logging.getLogger(__name__)

MOST_ROWS = 1_000
"""The most rows that one answer can hold."""

POSTED_WITHIN = 2.0
"""Seconds that an answer waits for its post in the audit channel: fewer than a shutdown leaves to running work."""

REMOVED_AT_ONCE = 100
"""Views in one transaction: other writes wait for it."""

_BETWEEN_REMOVALS = 0.5
"""Seconds for other writes."""


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of the audit log, the newest first. ``has_older``: more rows match."""

    rows: tuple[AuditRow | DamagedRow, ...]
    has_older: bool


@attrs.define(kw_only=True, eq=False)
class AuditService:
    """The audit log of a guild. Changes write their own rows, in their transaction; only views are appended here.

    A post names its row and the row's digest, so the audit channel shows whether the log was rewritten later.
    """

    _rows: AuditRepository
    _settings: GuildSettingsRepository
    _guilds: ServedGuilds
    _channel: AuditChannel
    _clock: Clock
    _posting: set[asyncio.Task[None]] = attrs.field(init=False, factory=set)
    _late: dict[asyncio.Task[None], int] = attrs.field(init=False, factory=dict)
    """Posts that took longer than POSTED_WITHIN, and their guilds."""
    _stopping: asyncio.Future[None] | None = attrs.field(init=False, default=None)
    """Done once a shutdown has begun."""

    async def newest(
        self, *, by: Viewer, user_id: int | None = None, action: str | None = None, limit: int = 20
    ) -> Extract:
        """Return the newest rows, of one action, and of those in which one user acts or is acted upon, if given.

        Needs ``audit.read``; InvalidInput for an unknown action. Reading is itself appended to the log: after the
        reading, so that it is not the first row shown, and before the answer, so that none is shown without it.
        """
        if Capability.READ_AUDIT not in by.capabilities:
            raise AccessDenied(Capability.READ_AUDIT)
        only = None if action is None else _action(action)
        limit = min(max(limit, 1), MOST_ROWS)
        guild_id = by.actor.guild_id
        rows = await self._rows.newest_as_found(guild_id, limit=limit + 1, user_id=user_id, action=only)
        detail = {"limit": str(limit)} if only is None else {"action": only.value, "limit": str(limit)}
        subject = "guild" if user_id is None else f"user:{user_id}"
        await self._append(AuditAction.AUDIT_VIEWED, subject, detail, by=by.actor)
        return Extract(tuple(rows[:limit]), has_older=len(rows) > limit)

    def actions(self, *, by: Viewer) -> tuple[AuditAction, ...]:
        """Return the actions that can be asked for; none without ``audit.read``."""
        return tuple(AuditAction) if Capability.READ_AUDIT in by.capabilities else ()

    async def view(
        self, action: AuditAction, account: SteamId | None, link: Link | None, detail: Mapping[str, str], *, by: Actor
    ) -> None:
        """Append that ``by`` views an account with this link, or all accounts if ``account`` is None.

        A view of one's own account is not appended, unless a staff member linked it to themselves, which proves
        nothing. Call this before showing anything: if it fails, nothing may be shown.

        Views are not posted to the audit channel, where they would tell all staff whose things are being viewed.
        """
        subject = "guild"
        if account is not None:
            if link is not None and link.user_id == by.user_id and not link.is_self_made:
                return
            subject = f"steam:{account}" if link is None else f"user:{link.user_id}"
            detail = {"steam_id": str(account), **detail}
        await self._append(action, subject, detail, by=by)

    async def view_subject(self, action: AuditAction, subject: str, account: SteamId | None, *, by: Actor) -> None:
        """Append that ``by`` views a subject with this account, before anything is shown, as :meth:`view` does."""
        await self._append(action, subject, {} if account is None else {"steam_id": str(account)}, by=by)

    async def remove_old_views(self) -> None:
        """Remove the views that were kept long enough, a few at a time; call it every few hours."""
        now = self._clock.now()
        removed, last = 0, REMOVED_AT_ONCE
        while last:
            last = await self._rows.remove_views(before=views_removed_before(now), limit=REMOVED_AT_ONCE, at=now)
            removed += last
            await asyncio.sleep(_BETWEEN_REMOVALS if last else 0.0)
        if removed:
            _log.info("old views removed count=%s", removed)

    async def announce(self, row: AuditRow, *, shown: Mapping[str, str] | None = None) -> None:
        """Post a row to the guild's audit channel, if there is one; wait :data:`POSTED_WITHIN` for it at most.

        ``shown`` are the details of the post, if they are not the row's. The action is done already, so a failed post
        is logged and never raised. While an earlier post to the guild's channel is late, no caller waits for the next
        one, nor does one during a shutdown: :meth:`close` waits. Nothing is posted in a server that is not served.
        """
        if not self._guilds.serves(row.guild_id):
            return
        task = asyncio.create_task(self._post(row if shown is None else replace(row, detail=shown)))
        self._posting.add(task)
        task.add_done_callback(self._on_posted)
        is_slow = row.guild_id in self._late.values()
        await asyncio.wait(
            {task, self._until_stopping()},
            timeout=0.0 if is_slow else POSTED_WITHIN,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not task.done():
            self._late[task] = row.guild_id

    async def last_row(self, guild_id: int, action: AuditAction, subject: str) -> AuditRow | None:
        """Return the newest row of an action on a subject; None if it cannot be read: the action is done already."""
        try:
            rows = await self._rows.newest(guild_id, limit=1, action=action, subject=subject)
        except Exception as error:  # noqa: BLE001 -- it is only for a post
            is_new = not isinstance(error, DatabaseUnavailable)
            _log.error("audit row not read action=%s guild=%s", action.value, guild_id, exc_info=is_new)
            return None
        return rows[0] if rows else None

    def begin_shutdown(self) -> None:
        """Let no caller wait for a post any more: their actions are done, and they have to hear of it in time."""
        stopping = self._until_stopping()
        if not stopping.done():
            stopping.set_result(None)

    async def close(self, *, within: float) -> None:
        """Give running posts ``within`` seconds and cancel the rest: their rows are in the log all the same."""
        if self._posting:
            await asyncio.wait(self._posting, timeout=within)
        for task in (left := tuple(self._posting)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _until_stopping(self) -> asyncio.Future[None]:
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_future()
        return self._stopping

    async def _append(self, action: AuditAction, subject: str, detail: Mapping[str, str], *, by: Actor) -> None:
        await self._rows.append(AuditEntry(by.guild_id, self._clock.now(), by.user_id, action, subject, detail))

    async def _post(self, row: AuditRow) -> None:
        try:
            settings = await self._settings.of_guild(row.guild_id)
            if settings.audit_channel_id is not None:
                await self._channel.post(row, channel_id=settings.audit_channel_id)
        except Exception as error:  # noqa: BLE001 -- the action is done, and no caller waits for this
            is_new = not isinstance(error, DatabaseUnavailable)
            _log.error("audit entry not posted action=%s guild=%s", row.action.value, row.guild_id, exc_info=is_new)

    def _on_posted(self, task: asyncio.Task[None]) -> None:
        self._posting.discard(task)
        self._late.pop(task, None)


def _action(word: str) -> AuditAction:
    try:
        return AuditAction(word.strip().casefold())
    except ValueError:
        raise InvalidInput("action", "unknown") from None
