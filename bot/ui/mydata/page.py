"""The answers to ``/mydata``: what is kept about its reader, and what was forgotten, in plain words."""

from collections import Counter
from datetime import datetime

import discord

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.links import RELINK_COOL_DOWN, LinkSource
from bot.domain.my_data import Erased, StoredData
from bot.services.snapshots import KEPT_FOR
from bot.ui.audit.messages import who_did
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
