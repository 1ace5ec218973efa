"""Keeps resend requests; every change of state is one compare-and-set with its audit row in one transaction."""

from collections.abc import Callable
from datetime import datetime

import aiosqlite

from bot.domain.audit import FOR_ANOTHER, AuditAction
from bot.domain.failures import ProviderName
from bot.domain.resends import ALARM, OPENED_WITHIN, Outcome, Resend, ResendState, TradeFacts
from bot.storage import resend_statements as sql
from bot.storage.audit.log import write_down
from bot.storage.columns import fits, from_ms, to_ms, words
from bot.storage.database import Database, Parameters, fetch_one
from bot.storage.pauses import pause_for
from bot.storage.resend_rows import audit_entry, facts_of, facts_text, new_row, notes_of, notes_text, resend_of


class SqliteResendRepository:
    """Requests as rows. A change returns the request as it is then, None where somebody else was faster."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, draft: Resend, *, at_most: int | None = None) -> Resend | None:
        """Store a new pending request (its ``id`` is ignored); None where the trade has an open one anywhere.

        None, too, where its requester opened ``at_most`` in its guild within ``OPENED_WITHIN`` before it.
        """

        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            limits = {"at_most": at_most, "counted_from": to_ms(draft.requested_at - OPENED_WITHIN)}
            row = await fetch_one(connection, sql.OPEN, new_row(draft) | limits)
            if row is None:
                return None
            resend = resend_of(row)
            own = resend.owner_user_id == resend.requested_by
            detail = {"version": str(resend.version)} | ({} if own else FOR_ANOTHER)
            entry = audit_entry(
                resend, AuditAction.RESEND_REQUESTED, by=resend.requested_by, at=draft.requested_at, detail=detail
            )
            await write_down(connection, entry)
            return resend

        return await self._db.write(unit)

    async def opened_at(self, guild_id: int, user_id: int, *, limit: int) -> tuple[datetime, ...]:
        """Return when somebody opened their newest requests in a guild, newest first, as :meth:`open` counts them."""
        wanted = {"guild_id": guild_id, "user_id": user_id, "limit": limit}
        return tuple(from_ms(row["requested_at"]) for row in await self._db.read(sql.OPENED_AT, wanted))

    async def get(self, guild_id: int, resend_id: int) -> Resend | None:
        """Return a request of this guild."""
        if not fits(resend_id):
            return None
        found = await self._read(sql.GET, {"guild_id": guild_id, "id": resend_id})
        return found[0] if found else None

    async def open_for_trade(self, guild_id: int, provider: ProviderName, trade_id: int) -> Resend | None:
        """Return this guild's open request for a trade."""
        if not fits(trade_id):
            return None
        wanted = {"guild_id": guild_id, "provider": provider.value, "trade_id": trade_id}
        found = await self._read(sql.OPEN_FOR_TRADE, wanted)
        return found[0] if found else None

    async def open_in_guild(self, guild_id: int) -> tuple[Resend, ...]:
        """Return the guild's open requests, oldest first."""
        return await self._read(sql.OPEN_IN_GUILD, {"guild_id": guild_id})

    async def all_open(self) -> tuple[Resend, ...]:
        """Return every open request, oldest first."""
        return await self._read(sql.ALL_OPEN, {})

    async def not_finalised(self) -> tuple[Resend, ...]:
        """Return every ended request whose end was never told to the last."""
        return await self._read(sql.NOT_FINALISED, {})

    async def finalise(self, guild_id: int, resend_id: int, *, at: datetime) -> None:
        """Remember that the request's end has been shown and told."""
        await self._set(sql.FINALISE, {"guild_id": guild_id, "id": resend_id, "at": to_ms(at)})

    async def attach_card(
        self, guild_id: int, resend_id: int, *, channel_id: int, message_id: int, version: int
    ) -> None:
        """Remember where the request's card is, and that it shows this version."""
        values = {"guild_id": guild_id, "id": resend_id, "channel_id": channel_id, "message_id": message_id}
        await self._set(sql.ATTACH_CARD, values | {"version": version})

    async def card_shows(self, guild_id: int, resend_id: int, *, message_id: int, version: int) -> None:
        """Remember which version the card shows, where it is still this message."""
        values = {"guild_id": guild_id, "id": resend_id, "message_id": message_id, "version": version}
        await self._set(sql.CARD_SHOWS, values)

    async def add_note(self, guild_id: int, resend_id: int, note: str) -> Resend | None:
        """Add a line for the card, in whatever state; None where there is no such request."""

        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            row = await fetch_one(connection, sql.SET_NOTES, await _with_note(connection, guild_id, resend_id, note))
            return None if row is None else resend_of(row)

        return await self._db.write(unit)

    async def revise(
        self, guild_id: int, resend_id: int, facts: TradeFacts, *, version: int, at: datetime
    ) -> Resend | None:
        """Replace what the card shows while pending and at ``version``; the next version begins.

        What the card showed before is kept as a note.
        """

        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            row = await fetch_one(connection, sql.NOTES, {"guild_id": guild_id, "id": resend_id})
            note = facts_of(row["facts"]).note_of_change(facts) if row is not None else None
            values = await _with_note(connection, guild_id, resend_id, note)
            values |= {"version": version, "facts": facts_text(facts)}
            return await _step(connection, sql.REVISE, values, AuditAction.RESEND_REVISED, at=at, telling=_version)

        return await self._db.write(unit)

    async def approve(self, guild_id: int, resend_id: int, *, version: int, by: int, at: datetime) -> Resend | None:
        """Move pending → approved, if at ``version`` and shown. The row in this state is the intent to send."""
        values = {"guild_id": guild_id, "id": resend_id, "version": version, "by": by, "at": to_ms(at)}
        return await self._change(sql.APPROVE, values, AuditAction.RESEND_APPROVED, by=by, at=at, telling=_version)

    async def begin_sending(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Move approved → sending, and set ``sent_at``: when the call began, whatever becomes of it."""
        values = {"guild_id": guild_id, "id": resend_id, "at": to_ms(at)}
        return await self._change(sql.BEGIN_SENDING, values, AuditAction.RESEND_SENDING, at=at)

    async def return_to_pending(self, guild_id: int, resend_id: int, *, note: str, at: datetime) -> Resend | None:
        """Move approved → pending: the decision is taken back, the note added, the next version begins."""

        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            values = await _with_note(connection, guild_id, resend_id, note)
            return await _step(connection, sql.RETURN_TO_PENDING, values, AuditAction.RESEND_RETURNED, at=at)

        return await self._db.write(unit)

    async def deny(self, guild_id: int, resend_id: int, *, by: int, reason: str | None, at: datetime) -> Resend | None:
        """Move pending → denied."""
        values = {"guild_id": guild_id, "id": resend_id, "by": by, "reason": words(reason), "at": to_ms(at)}
        return await self._change(sql.DENY, values, AuditAction.RESEND_DENIED, by=by, at=at)

    async def expire(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Move pending → expired."""
        return await self._change(
            sql.EXPIRE, {"guild_id": guild_id, "id": resend_id, "at": to_ms(at)}, AuditAction.RESEND_EXPIRED, at=at
        )

    async def cancel(self, guild_id: int, resend_id: int, *, at: datetime, reason: str) -> Resend | None:
        """Move pending → cancelled; ``reason`` is SkinDesk's own word for why."""
        values = {"guild_id": guild_id, "id": resend_id, "reason": words(reason), "at": to_ms(at)}
        return await self._change(sql.CANCEL, values, AuditAction.RESEND_CANCELLED, at=at, telling=_reason)

    async def remind(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        """Remember that the moderators are reminded of a pending request; None where they were already."""

        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            row = await fetch_one(connection, sql.REMIND, {"guild_id": guild_id, "id": resend_id, "at": to_ms(at)})
            return None if row is None else resend_of(row)

        return await self._db.write(unit)

    async def mark_unknown(
        self,
        guild_id: int,
        resend_id: int,
        *,
        outcome: Outcome,
        detail: str | None,
        settle_after: datetime,
        at: datetime,
    ) -> Resend | None:
        """Move sending → unknown, to be settled by reading from ``settle_after`` on.

        OTHER_TRADE stops the guild's resends in the same transaction.
        """
        alarms = outcome is Outcome.OTHER_TRADE

        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            values: dict[str, int | str | None] = {
                **await _with_note(connection, guild_id, resend_id, ALARM if alarms else None),
                "outcome": outcome.value,
                "detail": words(detail),
                "settle_after": to_ms(settle_after),
            }
            unknown = await _step(
                connection, sql.MARK_UNKNOWN, values, AuditAction.RESEND_UNKNOWN, at=at, telling=_outcome
            )
            if alarms and unknown is not None:
                await pause_for(connection, unknown, at=at)
            return unknown

        return await self._db.write(unit)

    async def settle_later(self, guild_id: int, resend_id: int, *, settle_after: datetime) -> None:
        """Put off the next reading of an unknown request."""
        await self._set(sql.SETTLE_LATER, {"guild_id": guild_id, "id": resend_id, "settle_after": to_ms(settle_after)})

    async def settle(
        self,
        guild_id: int,
        resend_id: int,
        *,
        sent: bool,
        outcome: Outcome,
        detail: str | None,
        at: datetime,
        by: int | None = None,
    ) -> Resend | None:
        """Move sending or unknown → sent or failed. ``by`` is the moderator who marked it by hand."""
        state, action = (
            (ResendState.SENT, AuditAction.RESEND_SENT) if sent else (ResendState.FAILED, AuditAction.RESEND_FAILED)
        )
        values = {
            "guild_id": guild_id,
            "id": resend_id,
            "state": state.value,
            "outcome": outcome.value,
            "detail": words(detail),
            "by": by,
            "at": to_ms(at),
        }
        return await self._change(sql.SETTLE, values, action, by=by, at=at, telling=_outcome)

    async def _read(self, statement: str, values: Parameters) -> tuple[Resend, ...]:
        return tuple(resend_of(row) for row in await self._db.read(statement, values))

    async def _set(self, statement: str, values: Parameters) -> None:
        async def unit(connection: aiosqlite.Connection) -> None:
            await connection.execute_fetchall(statement, values)

        await self._db.write(unit)

    async def _change(
        self,
        statement: str,
        values: Parameters,
        action: AuditAction,
        *,
        at: datetime,
        by: int | None = None,
        telling: "_Telling | None" = None,
    ) -> Resend | None:
        async def unit(connection: aiosqlite.Connection) -> Resend | None:
            return await _step(connection, statement, values, action, by=by, at=at, telling=telling)

        return await self._db.write(unit)


_Telling = Callable[[Resend], dict[str, str]]
"""What the audit row of a change says beyond whose trade it is about."""


async def _step(
    connection: aiosqlite.Connection,
    statement: str,
    values: Parameters,
    action: AuditAction,
    *,
    at: datetime,
    by: int | None = None,
    telling: _Telling | None = None,
) -> Resend | None:
    """Compare and set with one statement; where it changed the row, write that down."""
    row = await fetch_one(connection, statement, values)
    if row is None:
        return None
    resend = resend_of(row)
    detail = {} if telling is None else telling(resend)
    await write_down(connection, audit_entry(resend, action, by=by, at=at, detail=detail))
    return resend


async def _with_note(
    connection: aiosqlite.Connection, guild_id: int, resend_id: int, note: str | None
) -> dict[str, int | str]:
    """Return the request's notes with ``note``, if there is one.

    The unit is the only writer: they are still the same when set.
    """
    row = await fetch_one(connection, sql.NOTES, {"guild_id": guild_id, "id": resend_id})
    before = notes_of(row["notes"]) if row is not None else ()
    return {"guild_id": guild_id, "id": resend_id, "notes": notes_text(before if note is None else (*before, note))}


def _version(resend: Resend) -> dict[str, str]:
    return {"version": str(resend.version)}


def _reason(resend: Resend) -> dict[str, str]:
    return {"reason": resend.decision_reason or ""}


def _outcome(resend: Resend) -> dict[str, str]:
    return {"outcome": resend.outcome.value if resend.outcome is not None else ""}
