"""Keeps resend requests; every change of state is one compare-and-set with its audit row in one transaction."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from typing_extensions import override

from bot.domain.access import Condition
from bot.domain.audit import AuditAction
from bot.domain.failures import ProviderName
from bot.domain.resend_queue import ResendCounts
from bot.domain.resends import (
    ALARM,
    OPENED_WITHIN,
    TELLING_IN_DOUBT,
    CardContext,
    Outcome,
    Resend,
    ResendState,
    Settlement,
    TradeFacts,
)
from bot.domain.steam import SteamId
from bot.ports.resends import ResendRepository
from bot.storage import resend_changes as changes
from bot.storage import resend_rows as rows
from bot.storage.database import Connection, Database, Parameters, clean_text, from_ms, is_storable, to_ms
from bot.storage.guild_settings import pause_for
from bot.storage.links import SqlLinkRepository
from bot.storage.resend_changes import Value, change, first, late_answer, with_note
from bot.storage.rights import require


class SqlResendRepository(ResendRepository):
    """Requests as rows. A change returns the changed request; None if it was not in the state that the change needs."""

    def __init__(self, db: Database, worker: str) -> None:
        self._db = db
        self._worker = worker
        self._links = SqlLinkRepository(db)

    @override
    async def open(
        self, draft: Resend, *, at_most: int | None = None, only_if: Condition | None = None
    ) -> Resend | None:
        values = rows.new_row(draft) | {"worker": self._worker}
        values |= {"at_most": at_most, "counted_from": to_ms(draft.requested_at - OPENED_WITHIN)}

        def job(connection: Connection) -> Resend | None:
            if only_if is not None:
                require(connection, only_if, draft, at=draft.requested_at)
            return change(
                connection,
                statement=rows.OPEN,
                values=values,
                action=AuditAction.RESEND_REQUESTED,
                by=draft.requested_by,
                at=draft.requested_at,
            )

        return await self._with_context(await self._db.write(job))

    @override
    async def opened_at(self, guild_id: int, user_id: int, *, limit: int) -> tuple[datetime, ...]:
        wanted = {"guild_id": guild_id, "user_id": user_id, "limit": limit}
        return tuple(from_ms(row["requested_at"]) for row in await self._db.read(rows.OPENED_AT, wanted))

    @override
    async def get(self, guild_id: int, resend_id: int) -> Resend | None:
        if not is_storable(resend_id):
            return None
        found = await self._read(rows.GET, {"guild_id": guild_id, "id": resend_id})
        return await self._with_context(found[0] if found else None)

    @override
    async def open_for_trade(self, guild_id: int, provider: ProviderName, trade_id: int) -> Resend | None:
        if not is_storable(trade_id):
            return None
        wanted = {"guild_id": guild_id, "provider": provider.value, "trade_id": trade_id}
        found = await self._read(rows.OPEN_FOR_TRADE, wanted)
        return found[0] if found else None

    @override
    async def newest_of_trades(
        self, guild_id: int, provider: ProviderName, trade_ids: Collection[int]
    ) -> tuple[Resend, ...]:
        storable = json.dumps([trade_id for trade_id in trade_ids if is_storable(trade_id)])
        wanted = {"guild_id": guild_id, "provider": provider.value, "trade_ids": storable}
        return tuple(map(rows.resend_of, await self._db.read_inline(rows.NEWEST_OF_TRADES, wanted)))

    @override
    async def open_in_guild(self, guild_id: int) -> tuple[Resend, ...]:
        return await self._read(rows.OPEN_IN_GUILD, {"guild_id": guild_id})

    @override
    async def of_customer(
        self, guild_id: int, *, owner: SteamId | None, user_id: int | None, limit: int
    ) -> tuple[Resend, ...]:
        wanted = {"guild_id": guild_id, "owner": None if owner is None else owner.value, "user_id": user_id}
        return await self._read(rows.ABOUT_CUSTOMER, wanted | {"limit": limit})

    @override
    async def all_open(self) -> tuple[Resend, ...]:
        return await self._read(rows.ALL_OPEN, {})

    @override
    async def not_finalised(self) -> tuple[Resend, ...]:
        return await self._read(rows.NOT_FINALISED, {})

    @override
    async def cards_behind(self, *, since: datetime) -> tuple[Resend, ...]:
        return await self._read(rows.CARDS_BEHIND, {"since": to_ms(since)})

    @override
    async def begin_telling(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        values = {"guild_id": guild_id, "id": resend_id, "worker": self._worker, "at": to_ms(at)}
        return await self._db.write(lambda connection: first(connection.execute(changes.BEGIN_TELLING, values)))

    @override
    async def finalise(self, guild_id: int, resend_id: int, *, at: datetime) -> None:
        await self._set(changes.FINALISE, guild_id, resend_id, at=to_ms(at), worker=self._worker)

    @override
    async def take_over(self, ended: Resend, *, at: datetime) -> Resend | None:
        def job(connection: Connection) -> Resend | None:
            values = with_note(connection, ended.guild_id, ended.id, TELLING_IN_DOUBT)
            values |= {"worker": self._worker, "of": ended.worker, "at": to_ms(at)}
            return first(connection.execute(changes.TAKE_OVER, values))

        return await self._db.write(job)

    @override
    async def attach_card(
        self,
        guild_id: int,
        resend_id: int,
        *,
        channel_id: int,
        message_id: int,
        version: int | None,
        state: ResendState = ResendState.PENDING,
        replaces: int | None = None,
    ) -> Resend | None:
        values = {"guild_id": guild_id, "id": resend_id, "channel_id": channel_id, "message_id": message_id}
        shown = {"version": version, "state": state.value, "replaces": replaces}

        def job(connection: Connection) -> Resend | None:
            return first(connection.execute(rows.ATTACH_CARD, values | shown))

        return await self._db.write(job)

    @override
    async def card_shows(
        self, guild_id: int, resend_id: int, *, message_id: int, version: int, state: ResendState = ResendState.PENDING
    ) -> Resend | None:
        values = {"guild_id": guild_id, "id": resend_id, "message_id": message_id}
        shown = {"version": version, "state": state.value}
        return await self._db.write(lambda connection: first(connection.execute(rows.CARD_SHOWS, values | shown)))

    @override
    async def add_note(self, guild_id: int, resend_id: int, note: str) -> Resend | None:
        def job(connection: Connection) -> Resend | None:
            values = with_note(connection, guild_id, resend_id, note)
            return first(connection.execute(changes.SET_NOTES, values))

        return await self._db.write(job)

    @override
    async def revise(
        self, guild_id: int, resend_id: int, facts: TradeFacts, *, version: int, at: datetime
    ) -> Resend | None:
        def job(connection: Connection) -> Resend | None:
            row = connection.execute(rows.NOTES, {"guild_id": guild_id, "id": resend_id}).fetchone()
            note = rows.facts_of(row["facts"]).note_of_change(facts) if row is not None else None
            values = with_note(connection, guild_id, resend_id, note)
            values |= {"version": version, "facts": rows.facts_text(facts)}
            return change(connection, statement=rows.REVISE, values=values, action=AuditAction.RESEND_REVISED, at=at)

        return await self._db.write(job)

    @override
    async def approve(
        self,
        guild_id: int,
        resend_id: int,
        *,
        version: int,
        by: int,
        at: datetime,
        only_if: Condition | None = None,
    ) -> Resend | None:
        return await self._move(
            rows.APPROVE,
            AuditAction.RESEND_APPROVED,
            guild_id,
            resend_id,
            by=by,
            at=at,
            only_if=only_if,
            version=version,
        )

    @override
    async def begin_sending(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        return await self._move(rows.BEGIN_SENDING, AuditAction.RESEND_SENDING, guild_id, resend_id, at=at)

    @override
    async def return_to_pending(
        self, guild_id: int, resend_id: int, *, worker: str | None, note: str, at: datetime
    ) -> Resend | None:
        def job(connection: Connection) -> Resend | None:
            values = with_note(connection, guild_id, resend_id, note) | {"worker": worker}
            return change(
                connection,
                statement=rows.RETURN_TO_PENDING,
                values=values,
                action=AuditAction.RESEND_RETURNED,
                at=at,
            )

        return await self._db.write(job)

    @override
    async def deny(
        self,
        guild_id: int,
        resend_id: int,
        *,
        by: int,
        reason: str | None,
        at: datetime,
        only_if: Condition | None = None,
    ) -> Resend | None:
        return await self._move(
            rows.DENY,
            AuditAction.RESEND_DENIED,
            guild_id,
            resend_id,
            by=by,
            at=at,
            only_if=only_if,
            reason=clean_text(reason),
        )

    @override
    async def expire(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        return await self._move(rows.EXPIRE, AuditAction.RESEND_EXPIRED, guild_id, resend_id, at=at)

    @override
    async def cancel(
        self, guild_id: int, resend_id: int, *, at: datetime, reason: str, by: int | None = None
    ) -> Resend | None:
        return await self._move(
            rows.CANCEL, AuditAction.RESEND_CANCELLED, guild_id, resend_id, by=by, at=at, reason=reason
        )

    @override
    async def remind(self, guild_id: int, resend_id: int, *, at: datetime) -> Resend | None:
        def job(connection: Connection) -> Resend | None:
            return first(connection.execute(rows.REMIND, {"guild_id": guild_id, "id": resend_id, "at": to_ms(at)}))

        return await self._with_context(await self._db.write(job))

    @override
    async def take(
        self,
        guild_id: int,
        resend_id: int,
        *,
        by: int,
        holder: int | None,
        at: datetime,
        only_if: Condition | None = None,
    ) -> Resend | None:
        change = "taken" if holder is None else "released" if holder == by else "taken_over"
        return await self._move(
            rows.TAKE,
            AuditAction.RESEND_TAKEN,
            guild_id,
            resend_id,
            by=by,
            at=at,
            only_if=only_if,
            logged={"change": change},
            holder=holder,
        )

    @override
    async def counts(self, guild_id: int, *, since: datetime, median_since: datetime) -> ResendCounts:
        counted = await self._db.read(rows.COUNTS, {"guild_id": guild_id, "since": to_ms(since)})
        ((median,),) = await self._db.read(rows.MEDIAN_WAIT, {"guild_id": guild_id, "since": to_ms(median_since)})
        return ResendCounts(
            {ResendState(row["state"]): row["number"] for row in counted},
            None if median is None else timedelta(milliseconds=median),
        )

    @override
    async def mark_unknown(
        self,
        guild_id: int,
        resend_id: int,
        *,
        worker: str | None,
        outcome: Outcome,
        detail: str | None,
        at: datetime,
    ) -> Resend | None:
        alarms = outcome is Outcome.OTHER_TRADE

        def job(connection: Connection) -> Resend | None:
            values = with_note(connection, guild_id, resend_id, ALARM if alarms else None)
            values |= {"worker": worker, "outcome": outcome.value, "detail": clean_text(detail), "at": to_ms(at)}
            unknown = change(
                connection, statement=rows.MARK_UNKNOWN, values=values, action=AuditAction.RESEND_UNKNOWN, at=at
            )
            if not alarms:
                return unknown
            answered = unknown or late_answer(connection, values, about=detail)
            if answered is None or (paused := pause_for(connection, answered, at=at)) is None:
                return answered
            return replace(answered, audit_rows=(*answered.audit_rows, paused))

        return await self._db.write(job)

    @override
    async def settle_later(self, guild_id: int, resend_id: int, *, settle_after: datetime) -> None:
        await self._set(rows.SETTLE_LATER, guild_id, resend_id, settle_after=to_ms(settle_after))

    @override
    async def settle(
        self, guild_id: int, resend_id: int, end: Settlement, *, at: datetime, only_if: Condition | None = None
    ) -> Resend | None:
        return await self._move(
            rows.SETTLE,
            AuditAction.RESEND_SENT if end.sent else AuditAction.RESEND_FAILED,
            guild_id,
            resend_id,
            by=end.by,
            at=at,
            only_if=only_if,
            state=(ResendState.SENT if end.sent else ResendState.FAILED).value,
            outcome=end.outcome.value,
            detail=clean_text(end.detail),
        )

    async def _read(self, statement: str, values: Parameters) -> tuple[Resend, ...]:
        return tuple(rows.resend_of(row) for row in await self._db.read(statement, values))

    async def _with_context(self, resend: Resend | None) -> Resend | None:
        """Add what the request's card shows beside it."""
        if resend is None:
            return None
        owner_link = await self._links.of_steam_id(resend.guild_id, resend.owner)
        of_trade = {
            "guild_id": resend.guild_id,
            "provider": resend.provider.value,
            "trade_id": resend.trade_id,
            "id": resend.id,
            "owner": resend.owner.value,
        }
        earlier, of_customer = [
            tuple(map(rows.resend_of, await self._db.read_inline(statement, of_trade)))
            for statement in (rows.EARLIER, rows.OF_CUSTOMER)
        ]
        return replace(resend, context=CardContext(owner_link, earlier, of_customer))

    async def _set(self, statement: str, guild_id: int, resend_id: int, **values: Value) -> None:
        def job(connection: Connection) -> None:
            connection.execute(statement, {"guild_id": guild_id, "id": resend_id, **values})

        await self._db.write(job)

    async def _move(
        self,
        statement: str,
        action: AuditAction,
        guild_id: int,
        resend_id: int,
        *,
        at: datetime,
        by: int | None = None,
        only_if: Condition | None = None,
        logged: Mapping[str, str] | None = None,
        **values: Value,
    ) -> Resend | None:
        values |= {"guild_id": guild_id, "id": resend_id, "by": by, "at": to_ms(at), "worker": self._worker}

        def job(connection: Connection) -> Resend | None:
            if only_if is not None and (resend := first(connection.execute(rows.GET, values))) is not None:
                require(connection, only_if, resend, at=at)
            return change(connection, statement=statement, values=values, action=action, by=by, at=at, logged=logged)

        return await self._db.write(job)
