"""How a resend request looks as a row, and as facts in the audit."""

import json
import sqlite3
from datetime import datetime

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.failures import ProviderName
from bot.domain.masking import mask_trade_urls
from bot.domain.resends import Outcome, Resend, ResendState, TradeFacts, change_in
from bot.domain.steam import SteamId
from bot.storage.columns import from_ms, from_ms_or_none, to_ms, words


def new_row(draft: Resend) -> dict[str, int | str | None]:
    """Return the columns of a new pending request; what only a later state has stays empty."""
    return {
        "guild_id": draft.guild_id,
        "provider": draft.provider.value,
        "trade_id": draft.trade_id,
        "owner": draft.owner.value,
        "owner_user_id": draft.owner_user_id,
        "requested_by": draft.requested_by,
        "reason": words(draft.reason),
        "facts": facts_text(draft.facts),
        "version": draft.version,
        "requested_at": to_ms(draft.requested_at),
        "expires_at": to_ms(draft.expires_at),
        "notes": notes_text(draft.notes),
    }


def resend_of(row: sqlite3.Row) -> Resend:
    """Return the request in a row."""
    return Resend(
        id=row["id"],
        guild_id=row["guild_id"],
        provider=ProviderName(row["provider"]),
        trade_id=row["trade_id"],
        owner=SteamId(row["owner"]),
        owner_user_id=row["owner_user_id"],
        requested_by=row["requested_by"],
        reason=row["reason"],
        state=ResendState(row["state"]),
        facts=facts_of(row["facts"]),
        version=row["version"],
        requested_at=from_ms(row["requested_at"]),
        expires_at=from_ms(row["expires_at"]),
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        decided_by=row["decided_by"],
        decided_at=from_ms_or_none(row["decided_at"]),
        decision_reason=row["decision_reason"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        outcome_detail=row["outcome_detail"],
        sent_at=from_ms_or_none(row["sent_at"]),
        settled_at=from_ms_or_none(row["settled_at"]),
        settled_by=row["settled_by"],
        settle_after=from_ms_or_none(row["settle_after"]),
        reminded_at=from_ms_or_none(row["reminded_at"]),
        notes=notes_of(row["notes"]),
        shown_version=row["shown_version"],
    )


def facts_text(facts: TradeFacts) -> str:
    """Return the facts as JSON, character for character: they are compared with the trade as it is read later.

    JSON in ASCII holds every text a provider can send. Only a trade token in the last error is masked; such a
    trade then counts as changed, which is the safe side.
    """
    return json.dumps(
        {
            "status": facts.status,
            "items_send": facts.items_send,
            "items_received": facts.items_received,
            "offer_id": facts.offer_id,
            "last_error": mask_trade_urls(facts.last_error),
            "code_digest": facts.code_digest,
        }
    )


def nobodys_facts(resend: Resend) -> str:
    """Return what of the facts is about nobody, as JSON: the status."""
    return facts_text(
        TradeFacts(
            status=resend.facts.status,
            items_send=(),
            items_received=(),
            offer_id="",
            last_error="",
            code_digest=None,
        )
    )


def facts_of(text: str) -> TradeFacts:
    """Return the facts in their JSON."""
    facts = json.loads(text)
    return TradeFacts(
        status=facts["status"],
        items_send=tuple(facts["items_send"]),
        items_received=tuple(facts["items_received"]),
        offer_id=facts["offer_id"],
        last_error=facts["last_error"],
        code_digest=facts["code_digest"],
    )


def notes_text(notes: tuple[str, ...]) -> str:
    """Return the card's lines as JSON. That of a change is ASCII and masked already: see there."""
    return json.dumps([note if change_in(note) is not None else words(note) for note in notes])


def notes_of(text: str) -> tuple[str, ...]:
    """Return the card's lines."""
    return tuple(json.loads(text))


def audit_entry(
    resend: Resend, action: AuditAction, *, by: int | None, at: datetime, detail: dict[str, str]
) -> AuditEntry:
    """Return the audit row of a change: which trade, whose, asked for by whom, and ``detail``."""
    facts = {
        "provider": resend.provider.value,
        "trade": str(resend.trade_id),
        "owner": str(resend.owner),
        "requester": str(resend.requested_by),
    }
    return AuditEntry(resend.guild_id, at, by, action, f"resend:{resend.id}", facts | detail)
