"""The file of ``/mydata export``: all data stored about the reader. Its keys and words are data: English."""

import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import discord
import msgspec

from bot.domain.audit import PERSONAL_DETAILS, AuditAction, AuditRow, PseudonymKind, acts_as, is_for_another
from bot.domain.links import RELINK_COOL_DOWN
from bot.domain.my_data import NOT_NAMED, THE_STAFF, StoredData
from bot.domain.notes import Note
from bot.domain.references import ErrorReference
from bot.domain.resends import Resend, TradeFacts
from bot.domain.watches import Watch

MOST_ROWS = 10_000
"""The newest rows of the audit log in one file: Discord takes 10 MiB."""

_ABOUT_NOTES = frozenset({AuditAction.NOTE_ADDED, AuditAction.NOTE_REMOVED})
_PEOPLE = frozenset({"user", "steam", "erased"})


def my_data_file(stored: StoredData, *, guild_id: int, user_id: int, at: datetime) -> discord.File:
    """Return all data about a member as JSON; people are named only if they did something to the reader.

    A code's digest is left out: a short code can be guessed from it.
    """
    link, own = stored.link, stored.own_references(user_id)
    for_the_reader = _asked_for_the_reader(stored, user_id=user_id)
    rows = sorted(stored.audit, key=lambda row: row.number, reverse=True)
    content = {
        "about": f"user:{user_id}",
        "server": f"guild:{guild_id}",
        "made_at": at,
        "link": None
        if link is None
        else {
            "steam_id": f"steam:{link.steam_id}",
            "source": link.source.value,
            "linked_by": f"user:{link.linked_by}",
            "linked_at": link.linked_at,
            "own_resends_from": link.resends_from,
        },
        "former_links": [
            {
                "steam_id": f"steam:{ended.steam_id}",
                "ended_at": ended.ended_at,
                "remembered_until": ended.ended_at + RELINK_COOL_DOWN,
            }
            for ended in stored.ended_links
        ],
        "resends": [_resend(resend, user_id=user_id, own=own) for resend in stored.resends],
        "notes": [_note(note, user_id=user_id) for note in stored.notes],
        "record": [_row(row, own, for_the_reader) for row in rows[:MOST_ROWS]],
        "older_rows_left_out": len(rows[MOST_ROWS:]),
        "page_snapshots": stored.snapshots,
        "watched_trades": [_watch(watch, own) for watch in stored.watches],
        "errors": [_error(error) for error in stored.errors],
    }
    text = json.dumps(content, ensure_ascii=False, default=lambda at: at.astimezone(UTC).isoformat())
    # json's own indent takes ten times as long.
    return discord.File(io.BytesIO(msgspec.json.format(text.encode("utf-8", "replace"))), filename="mydata.json")


def _resend(resend: Resend, *, user_id: int, own: Iterable[str]) -> Mapping[str, Any]:
    """Return a request without what belongs to others.

    The trade's facts are only for its owner; who asked and why only for the requester and the owner.
    """
    is_by_another = _is_by_another(resend, user_id)
    is_owner = not is_by_another and (f"steam:{resend.owner}" in own or resend.owner_user_id == user_id)
    about_the_trade = {
        "owner": f"steam:{resend.owner}",
        "owner_user": _user(resend.owner_user_id),
        **_facts(resend.facts),
        "when_asked": None if resend.asked_facts is None else _facts(resend.asked_facts),
        "notes": resend.notes,
    }
    return {
        "id": resend.id,
        "provider": resend.provider.value,
        "trade": resend.trade_id,
        **(about_the_trade if is_owner else {"owner": NOT_NAMED}),
        "requested_by": NOT_NAMED if is_by_another else _user(resend.requested_by),
        "requested_at": resend.requested_at,
        "reason": None if is_by_another else resend.reason,
        "language": resend.language if resend.requested_by == user_id else None,
        "state": resend.state.value,
        "version": resend.version,
        "expires_at": resend.expires_at,
        "decided_by": _user(resend.decided_by),
        "decided_at": resend.decided_at,
        "decision_reason": None if is_by_another else resend.decision_reason,
        "outcome": None if resend.outcome is None else resend.outcome.value,
        "outcome_detail": resend.outcome_detail,
        "sent_at": resend.sent_at,
        "settled_by": _user(resend.settled_by),
        "settled_at": resend.settled_at,
        "settle_after": resend.settle_after,
        "reminded_at": resend.reminded_at,
        "taken_by": _user(resend.taken_by),
        "taken_at": resend.taken_at,
        "card": None
        if resend.message_id is None
        else " ".join([f"channel:{resend.channel_id}", f"message:{resend.message_id}"]),
    }


def _watch(watch: Watch, own: Iterable[str]) -> Mapping[str, Any]:
    owner = f"steam:{watch.owner}"
    return {
        "provider": watch.provider.value,
        "trade": watch.trade_id,
        "owner": owner if owner in own else NOT_NAMED,
        "standing": watch.standing,
        "language": watch.language,
        "notified_at": watch.notified_at,
        "since": watch.began_at,
        "until": watch.expires_at,
    }


def _facts(facts: TradeFacts) -> Mapping[str, Any]:
    """Return the facts of a trade that a card shows."""
    return {
        "trade_status": facts.status,
        "trade_made_at": facts.created_at,
        "game": None if facts.game is None else facts.game.word,
        "bot": None if facts.bot is None else f"steam:{facts.bot}",
        "items_send": facts.items_send,
        "items_received": facts.items_received,
        "offer_id": facts.offer_id,
        "last_error": facts.last_error,
    }


def _note(note: Note, *, user_id: int) -> Mapping[str, Any]:
    """Return a note on the reader; a colleague's name is not theirs to know."""
    return {
        "id": note.id,
        "about": f"steam:{note.steam_id}" if note.user_id is None else f"user:{note.user_id}",
        "author": f"user:{user_id}" if note.author_id == user_id else THE_STAFF,
        "at": note.at,
        "text": note.text,
    }


def _error(error: ErrorReference) -> Mapping[str, Any]:
    """Return an error as the reader was shown it: some of its facts are about the desk's own login."""
    provider = None if error.failure is None else error.failure.provider.value
    return {
        "reference": error.reference,
        "at": error.at,
        "command": error.command,
        "title": error.title,
        "provider": provider,
    }


def _is_by_another(resend: Resend, user_id: int) -> bool:
    """Return whether another member asked, and not for the reader: maybe for an account that the reader has now."""
    return resend.requested_by != user_id and resend.owner_user_id not in (None, user_id)


def _asked_for_the_reader(stored: StoredData, *, user_id: int) -> frozenset[str]:
    """Return the audit subjects of requests that were made for the reader.

    Any other request for the reader's account may be by its former holder, for themselves.
    """
    by_staff = (
        row.subject for row in stored.audit if row.action is AuditAction.RESEND_REQUESTED and is_for_another(row.detail)
    )
    found = (f"resend:{resend.id}" for resend in stored.resends if not _is_by_another(resend, user_id))
    return frozenset((*by_staff, *found))


def _row(row: AuditRow, own: Iterable[str], for_the_reader: Iterable[str]) -> Mapping[str, Any]:
    """Return a row without the people to whom the reader did something."""
    about_another = row.subject.partition(":")[0] in _PEOPLE and row.subject not in own
    details = {
        name: _detail(name, value, row, own, for_the_reader) if name in PERSONAL_DETAILS else value
        for name, value in row.detail.items()
    }
    hidden = {row.subject} if about_another else set()
    if details.get("requester") == NOT_NAMED:
        hidden.add(f"user:{row.detail['requester']}")
    # A member who acted as staff stays hidden, whatever else they did in that row.
    by_that_other = row.actor in hidden and acts_as(row) is PseudonymKind.USER
    by_author = row.action in _ABOUT_NOTES and row.actor not in own
    return {
        "number": row.number,
        "at": row.at,
        "actor": THE_STAFF if by_author else NOT_NAMED if by_that_other else row.actor,
        "action": row.action.value,
        "subject": NOT_NAMED if about_another else row.subject,
        "detail": details,
        "digest": row.digest,
    }


def _detail(name: str, value: str, row: AuditRow, own: Iterable[str], for_the_reader: Iterable[str]) -> str:
    reference = f"{'steam' if PERSONAL_DETAILS[name] is PseudonymKind.STEAM else 'user'}:{value}"
    is_for_them = f"steam:{row.detail.get('owner')}" in own and row.subject in for_the_reader
    return reference if reference in own or (name == "requester" and is_for_them) else NOT_NAMED


def _user(user_id: int | None) -> str | None:
    return None if user_id is None else f"user:{user_id}"
