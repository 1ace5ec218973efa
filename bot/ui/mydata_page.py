"""The answers to ``/mydata``: a summary of the data stored about the reader, and a list of erased data."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import discord

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.links import RELINK_COOL_DOWN, LinkSource
from bot.domain.my_data import Erased, StoredData
from bot.domain.notes import Note
from bot.domain.watches import KEPT_FOR as WATCHED_FOR
from bot.languages import Message, number, paragraph, t, tn
from bot.services.snapshots import KEPT_FOR
from bot.ui.audit import actor_mention
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, labelled, moment, outside, relative

_VIEWS_SHOWN = 8
_NOTES_SHOWN = 3
_HOUR = timedelta(hours=1)
_VIEWED = {
    AuditAction.INVENTORY_VIEWED: Message("your inventory"),
    AuditAction.TRADES_VIEWED: Message("your trades"),
    AuditAction.WATCH_SET: Message("the changes of a trade of yours"),
    AuditAction.CUSTOMER_VIEWED: Message("everything about you"),
    AuditAction.REFERENCE_VIEWED: Message("an error of yours"),
    AuditAction.AUDIT_VIEWED: Message("the audit log about you"),
}
"""What a person viewed; each stands alone."""


def my_data_page(stored: StoredData, *, user_id: int) -> discord.Embed:
    """Return a summary of the data about a member; the file has all of it."""
    open_ones = sum(resend.state.is_open for resend in stored.resends)
    ended = len(stored.resends) - open_ones
    return card(
        title=t("Your data on this server"),
        description=t("Everything is in the file. `/mydata forget` erases what can be erased, at once."),
        fields=[
            Field(t("Your Steam account"), "\n".join(_link_lines(stored))),
            Field(
                t("Requests for resends"),
                t(
                    "Open: {open} · Ended: {ended}. Yours, and those for your trades.",
                    open=number(open_ones),
                    ended=number(ended),
                ),
            ),
            Field(
                t("Audit log"),
                tn(
                    "{count} row about you, your account or everyone.",
                    "{count} rows about you, your account or everyone.",
                    len(stored.audit),
                ),
            ),
            Field(t("Who viewed your data"), "\n".join(_view_lines(stored.views_by_others(user_id)))),
            Field(t("Trades you watch"), _watches_text(len(stored.watches))),
            *([Field(t("Notes of the staff on you"), "\n".join(_note_lines(stored.notes)))] if stored.notes else []),
            Field(
                t("Your last errors"),
                tn(
                    "{count} error. The staff can look each up by its reference for 7 days.",
                    "{count} errors. The staff can look each up by its reference for 7 days.",
                    len(stored.errors),
                ),
            ),
            Field(t("Answers with pages"), _snapshots_text(stored.snapshots)),
        ],
        colour=Tone.NEUTRAL,
    )


def _watches_text(watches: int) -> str:
    how_many = tn("{count} trade.", "{count} trades.", watches)
    longest = tn(
        "SkinDesk watches each for at most {count} day.",
        "SkinDesk watches each for at most {count} days.",
        WATCHED_FOR.days,
    )
    return paragraph(how_many, longest)


def _snapshots_text(snapshots: int) -> str:
    how_many = tn("{count} answer to you.", "{count} answers to you.", snapshots)
    longest = tn(
        "SkinDesk keeps each for at most {count} hour.",
        "SkinDesk keeps each for at most {count} hours.",
        KEPT_FOR // _HOUR,
    )
    return paragraph(how_many, longest)


def erased_page(erased: Erased) -> discord.Embed:
    """Return which data was erased, which stays, and why."""
    return card(
        title=t("✅ Your data was erased"),
        fields=[
            # Translators: the data that was erased, in a list.
            Field(t("Erased"), "\n".join(f"• {line}" for line in _gone(erased))),
            Field(t("What stays, and why"), "\n".join(f"• {line}" for line in _staying(erased))),
        ],
        colour=Tone.GOOD,
    )


def _link_lines(stored: StoredData) -> list[str]:
    link = stored.link
    lines = []
    if link is None:
        lines.append(t("No account is linked to you."))
    else:
        account, when = code(str(link.steam_id)), relative(link.linked_at)
        if link.source is LinkSource.SIGN_IN:
            lines.append(t("{account}, linked by Steam sign-in ({when}).", account=account, when=when))
        else:
            who = f"<@{link.linked_by}>"
            lines.append(t("{account}, linked by {who} ({when}).", account=account, who=who, when=when))
    lines += [
        t(
            "{account}, no longer linked ({when}). Remembered until: {until}",
            account=code(str(ended.steam_id)),
            when=relative(ended.ended_at),
            until=moment(ended.ended_at + RELINK_COOL_DOWN),
        )
        for ended in stored.ended_links
    ]
    return lines


def _view_lines(views: tuple[AuditRow, ...]) -> list[str]:
    """Return who viewed which data, equal views together with the newest time."""
    if not views:
        return [t("No one of the staff has viewed it.")]
    newest: dict[str, datetime] = {}
    times: Counter[str] = Counter()
    for row in views:
        what = f"{actor_mention(row)} · {_viewed(row)}"
        newest.setdefault(what, row.at)
        times[what] += 1
    lines = [
        " · ".join([what, relative(at), *([tn("{count} time", "{count} times", n)] if (n := times[what]) > 1 else [])])
        for what, at in newest.items()
    ]
    left_out = len(lines) - _VIEWS_SHOWN
    return lines if left_out <= 0 else [*lines[:_VIEWS_SHOWN], _more_in_file(left_out)]


def _more_in_file(left_out: int) -> str:
    return tn("…and {count} more, in the file.", "…and {count} more, in the file.", left_out)


def _note_lines(notes: tuple[Note, ...]) -> list[str]:
    lines = [labelled(relative(note.at), outside(note.text, 200)) for note in notes[-_NOTES_SHOWN:]]
    left_out = len(notes) - len(lines)
    return [*lines, _more_in_file(left_out)] if left_out else lines


def _viewed(row: AuditRow) -> str:
    if row.action is AuditAction.TRADES_VIEWED and row.subject == "guild":
        return t("everyone's trades")
    return _VIEWED.get(row.action, _VIEWED[AuditAction.AUDIT_VIEWED])()


def _gone(erased: Erased) -> Iterator[str]:
    yield t("Your name in the audit log: its rows about you and your account no longer name you.")
    if erased.link is not None:
        yield t("The link to your SteamID {account}.", account=code(str(erased.link.steam_id)))
    if erased.resends:
        yield tn(
            "{count} ended request: your name, the reasons, and the items.",
            "{count} ended requests: your name, the reasons, and the items.",
            erased.resends,
        )
    if erased.snapshots:
        yield tn(
            "{count} answer with pages. Its buttons no longer work.",
            "{count} answers with pages. Their buttons no longer work.",
            erased.snapshots,
        )
    if erased.watches:
        yield tn(
            "{count} trade that you watched. You get no more messages about it.",
            "{count} trades that you watched. You get no more messages about them.",
            erased.watches,
        )
    if erased.notes:
        yield tn(
            "{count} note that the staff wrote about you.",
            "{count} notes that the staff wrote about you.",
            erased.notes,
        )
    if erased.errors:
        yield tn(
            "{count} error that you were shown. Its reference no longer works.",
            "{count} errors that you were shown. Their references no longer work.",
            erased.errors,
        )
    yield t("A Steam sign-in in progress, and data in memory.")


def _staying(erased: Erased) -> Iterator[str]:
    if erased.resends_kept and erased.kept_until is None:
        yield tn(
            "{count} request that is open or counts towards the daily limit. "
            "Use `/mydata forget` again once it has ended.",
            "{count} requests that are open or count towards the daily limit. "
            "Use `/mydata forget` again once they have ended.",
            erased.resends_kept,
        )
    elif erased.resends_kept and erased.kept_until is not None:
        yield tn(
            "{count} request that is open or counts towards the daily limit. "
            "Use `/mydata forget` again after this time: {until}",
            "{count} requests that are open or count towards the daily limit. "
            "Use `/mydata forget` again after this time: {until}",
            erased.resends_kept,
            until=moment(erased.kept_until),
        )
    if erased.links_kept_until is not None:
        yield t(
            "Which account was linked to you, so that no one can move a stolen account and use it at once. "
            "Until: {until}",
            until=moment(erased.links_kept_until),
        )
    if erased.link is not None and erased.link.is_self_made:
        yield t(
            "The data about an account that you linked to yourself as staff, if neither Steam nor another member "
            "has confirmed that it is yours."
        )
    yield t("What you did to others as staff, such as decisions and notes: you answer for it.")
    yield t("The rows of the audit log, without your name, so that no one can rewrite it.")
    yield tn(
        "Pages about your account that the staff has asked for: for at most {count} hour.",
        "Pages about your account that the staff has asked for: for at most {count} hours.",
        KEPT_FOR // _HOUR,
    )
    yield t("Messages on Discord: approval cards and posts in the audit channel. SkinDesk does not delete them.")
