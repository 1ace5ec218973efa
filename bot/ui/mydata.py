"""The answers to ``/mydata``: what is stored about the reader, in words and as a file, and what was erased."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import discord

from bot.domain.audit import PERSONAL_DETAILS, AuditAction, AuditRow, PseudonymKind, acts_as, is_for_another
from bot.domain.links import RELINK_COOL_DOWN, EndedLink, Link, LinkSource
from bot.domain.my_data import Erased, StoredData
from bot.domain.resends import Resend
from bot.services.snapshots import KEPT_FOR
from bot.ui.audit import who_did
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, count, moment, relative

_LOOKS_SHOWN = 8
_HOURS = f"{KEPT_FOR.total_seconds() / 3600:g} hours"


def my_data_page(stored: StoredData, *, user_id: int) -> discord.Embed:
    """Return what is kept about a member, in words; the file beside it has all of it."""
    open_ones = sum(resend.state.is_open for resend in stored.resends)
    ended = len(stored.resends) - open_ones
    return card(
        title="What is kept about you on this server",
        description="Everything is in the file. `/mydata forget` removes what can be removed, at once.",
        fields=[
            Field("Your Steam account", "\n".join(_link_lines(stored))),
            Field("Requests for resends", f"{open_ones} open, {ended} ended: yours, and those for your trades."),
            Field("The record", f"{count(len(stored.audit), 'row')} about you, your account or everybody."),
            Field("Who looked at your things", "\n".join(_look_lines(stored.views_by_others(user_id)))),
            Field("Answers with pages", f"{stored.snapshots} of your own, each for at most {_HOURS}."),
        ],
        colour=Tone.NEUTRAL,
    )


def forgotten_page(erased: Erased) -> discord.Embed:
    """Return what was forgotten, what stays, and why."""
    return card(
        title="✅ Forgotten, as far as that can be",
        fields=[
            Field("Forgotten", "\n".join(f"• {line}" for line in _gone(erased))),
            Field("What stays, and why", "\n".join(f"• {line}" for line in _staying(erased))),
        ],
        colour=Tone.GOOD,
    )


def _link_lines(stored: StoredData) -> list[str]:
    link = stored.link
    lines = ["None is linked."]
    if link is not None:
        how = "by signing in" if link.source is LinkSource.SIGN_IN else f"by <@{link.linked_by}>"
        lines = [f"{code(str(link.steam_id))}, linked {how} {relative(link.linked_at)}."]
    for ended in stored.ended_links:
        until = moment(ended.ended_at + RELINK_COOL_DOWN)
        lines.append(f"{code(str(ended.steam_id))} until {relative(ended.ended_at)}; remembered until {until}.")
    return lines


def _look_lines(looks: tuple[AuditRow, ...]) -> list[str]:
    """Return who looked at what, the same looks together, by the newest of each."""
    if not looks:
        return ["Nobody of the staff has."]
    newest: dict[str, datetime] = {}
    times: Counter[str] = Counter()
    for row in looks:
        what = f"{who_did(row)}: {_looked_at(row)}"
        newest.setdefault(what, row.at)
        times[what] += 1
    lines = [
        f"{what} · {relative(at)}" + (f", {times[what]} times" if times[what] > 1 else "")
        for what, at in newest.items()
    ]
    left_out = len(lines) - _LOOKS_SHOWN
    return lines if left_out <= 0 else [*lines[:_LOOKS_SHOWN], f"…and {left_out:,} more in the file."]


def _looked_at(row: AuditRow) -> str:
    if row.action is AuditAction.INVENTORY_VIEWED:
        return "your inventory"
    if row.action is AuditAction.TRADES_VIEWED:
        return "everybody's trades" if row.subject == "guild" else "your trades"
    return "the record about you"


def _gone(erased: Erased) -> list[str]:
    lines = ["Who you are in the record: its rows about you, and about your account, no longer name you."]
    if erased.link is not None:
        lines.append(f"That SteamID {code(str(erased.link.steam_id))} is linked to you.")
    if erased.resends:
        lines.append(f"{count(erased.resends, 'ended request')}: whose they were, the reasons, and the items.")
    if erased.snapshots:
        lines.append(f"{count(erased.snapshots, 'answer')} with pages; their buttons no longer work.")
    return [*lines, "A Steam sign-in under way, and what was held in memory."]


def _staying(erased: Erased) -> list[str]:
    lines = []
    if erased.resends_kept:
        until = "they have ended" if erased.kept_until is None else moment(erased.kept_until)
        lines.append(
            f"{count(erased.resends_kept, 'request')}, open or counted against the daily limit. "
            f"Use `/mydata forget` again once {until}{'' if erased.kept_until is None else ' has passed'}."
        )
    if erased.links_kept_until is not None:
        lines.append(
            f"Until {moment(erased.links_kept_until)}: that your account was linked to you, so that a stolen "
            "account cannot be moved and used at once."
        )
    if erased.link is not None and erased.link.is_self_made:
        lines.append(
            "What is kept about an account that you linked to yourself as staff, where neither Steam nor somebody else "
            "has vouched that it is yours."
        )
    return [
        *lines,
        "What you did to others by a right you were given, such as decisions: for that you answer.",
        "The rows of the record themselves, without you in them, so that nobody can rewrite it.",
        f"Answers with pages that the staff has asked for about your account: for at most {_HOURS}.",
        "What Discord shows: approval cards and posts in the audit channel. SkinDesk does not delete them.",
    ]


MOST_ROWS = 10_000
"""Rows of the record in one file, the newest: Discord takes 10 MiB."""

_OTHER = "somebody else"
_PEOPLE = frozenset({"user", "steam", "erased"})


def my_data_file(stored: StoredData, *, guild_id: int, user_id: int, at: datetime) -> discord.File:
    """Return everything that is stored, dates in ISO 8601, ids with what they are of.

    Whoever did something to the reader is named by id; whoever the reader did something to is not, and neither is who
    held an account before the reader and acted for themselves. A verification code's digest is left out, since a
    short code can be guessed from it.
    """
    own = stored.own_references(user_id)
    for_the_reader = _asked_for_the_reader(stored, user_id=user_id)
    rows = sorted(stored.audit, key=lambda row: row.number, reverse=True)
    content = {
        "about": f"user:{user_id}",
        "server": f"guild:{guild_id}",
        "made_at": _iso(at),
        "link": None if stored.link is None else _link(stored.link),
        "former_links": [_ended_link(link) for link in stored.ended_links],
        "resends": [_resend(resend, user_id=user_id, own=own) for resend in stored.resends],
        "record": [_row(row, own, for_the_reader) for row in rows[:MOST_ROWS]],
        "older_rows_left_out": len(rows[MOST_ROWS:]),
        "page_snapshots": stored.snapshots,
    }
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return discord.File(io.BytesIO(text.encode("utf-8", "replace")), filename="mydata.json")


def _link(link: Link) -> Mapping[str, Any]:
    return {
        "steam_id": f"steam:{link.steam_id}",
        "source": link.source.value,
        "linked_by": f"user:{link.linked_by}",
        "linked_at": _iso(link.linked_at),
        "own_resends_from": _iso(link.resends_from),
    }


def _ended_link(link: EndedLink) -> Mapping[str, Any]:
    return {
        "steam_id": f"steam:{link.steam_id}",
        "ended_at": _iso(link.ended_at),
        "remembered_until": _iso(link.ended_at + RELINK_COOL_DOWN),
    }


def _resend(resend: Resend, *, user_id: int, own: Iterable[str]) -> Mapping[str, Any]:
    """Return a request.

    Of one that the reader made for somebody else's trade, that trade's facts are not theirs; of one that was not made
    for their trade either, who asked for it and why is not.
    """
    is_anothers = _is_anothers(resend, user_id)
    is_owner = not is_anothers and (f"steam:{resend.owner}" in own or resend.owner_user_id == user_id)
    facts = resend.facts
    about_the_trade = {
        "owner": f"steam:{resend.owner}",
        "owner_user": _user(resend.owner_user_id),
        "trade_status": facts.status,
        "items_send": facts.items_send,
        "items_received": facts.items_received,
        "offer_id": facts.offer_id,
        "last_error": facts.last_error,
        "notes": resend.notes,
    }
    return {
        "id": resend.id,
        "provider": resend.provider.value,
        "trade": resend.trade_id,
        **(about_the_trade if is_owner else {"owner": _OTHER}),
        "requested_by": _OTHER if is_anothers else _user(resend.requested_by),
        "requested_at": _iso(resend.requested_at),
        "reason": None if is_anothers else resend.reason,
        "state": resend.state.value,
        "version": resend.version,
        "expires_at": _iso(resend.expires_at),
        "decided_by": _user(resend.decided_by),
        "decided_at": _iso(resend.decided_at),
        "decision_reason": None if is_anothers else resend.decision_reason,
        "outcome": None if resend.outcome is None else resend.outcome.value,
        "outcome_detail": resend.outcome_detail,
        "sent_at": _iso(resend.sent_at),
        "settled_by": _user(resend.settled_by),
        "settled_at": _iso(resend.settled_at),
        "settle_after": _iso(resend.settle_after),
        "reminded_at": _iso(resend.reminded_at),
        "card": None if resend.message_id is None else f"channel:{resend.channel_id} message:{resend.message_id}",
    }


def _is_anothers(resend: Resend, user_id: int) -> bool:
    """Say whether a request is neither the reader's nor for their trade, though maybe for an account they have now."""
    return resend.requested_by != user_id and resend.owner_user_id not in (None, user_id)


def _asked_for_the_reader(stored: StoredData, *, user_id: int) -> frozenset[str]:
    """Return the requests, as the record spells them, whose requester did something to the reader by asking.

    Of any other one for an account of theirs the requester may be who held it before and asked for themselves.
    """
    by_staff = (
        row.subject for row in stored.audit if row.action is AuditAction.RESEND_REQUESTED and is_for_another(row.detail)
    )
    found = (f"resend:{resend.id}" for resend in stored.resends if not _is_anothers(resend, user_id))
    return frozenset((*by_staff, *found))


def _row(row: AuditRow, own: Iterable[str], for_the_reader: Iterable[str]) -> Mapping[str, Any]:
    """Return a row of the record with everybody left out to whom, not by whom, something was done."""
    about_another = row.subject.partition(":")[0] in _PEOPLE and row.subject not in own
    details = {
        name: _detail(name, value, row, own, for_the_reader) if name in PERSONAL_DETAILS else value
        for name, value in row.detail.items()
    }
    hidden = {row.subject} if about_another else set()
    if details.get("requester") == _OTHER:
        hidden.add(f"user:{row.detail['requester']}")
    # By their right, they did it to whoever it concerns, whatever else they did there for themselves.
    by_that_other = row.actor in hidden and acts_as(row) is PseudonymKind.USER
    return {
        "number": row.number,
        "at": _iso(row.at),
        "actor": _OTHER if by_that_other else row.actor,
        "action": row.action.value,
        "subject": _OTHER if about_another else row.subject,
        "detail": details,
        "digest": row.digest,
    }


def _detail(name: str, value: str, row: AuditRow, own: Iterable[str], for_the_reader: Iterable[str]) -> str:
    reference = f"{'steam' if PERSONAL_DETAILS[name] is PseudonymKind.STEAM else 'user'}:{value}"
    is_theirs = f"steam:{row.detail.get('owner')}" in own and row.subject in for_the_reader
    asked_for_them = name == "requester" and is_theirs
    return reference if reference in own or asked_for_them else _OTHER


def _user(user_id: int | None) -> str | None:
    return None if user_id is None else f"user:{user_id}"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()
