"""The page about a customer and the list of notes: the urgent facts first, ids last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

import discord

from bot.domain.audit import AuditAction, AuditRow
from bot.domain.customers import Customer, CustomerKey, NoteList
from bot.domain.errors import NoteNotFound, TooManyNotes
from bot.domain.failures import ProviderName
from bot.domain.links import Link, LinkSource
from bot.domain.notes import MAX_NOTE, NOTES_AT_MOST, Note
from bot.domain.references import ErrorReference
from bot.domain.resends import Resend, ResendState
from bot.domain.snapshots import TradesAnswer, TradesPart
from bot.domain.steam_links import profile_url
from bot.domain.trades import NotAsked, Trade, TradeState
from bot.ports import Explanations
from bot.ui.audit import actor_mention
from bot.ui.errors import NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, outside, plain, relative
from bot.ui.resends.card import link_to_card
from bot.ui.trades.block import DIRECTIONS, label_for, symbol_of
from bot.ui.trades.head import failures, notes, nothing

_NOTES_SHOWN = 2
_TRADES_SHOWN = 3
_RESENDS_SHOWN = 2
_VIEWS_SHOWN = 3
_ERRORS_SHOWN = 2
_LONGEST_REASON = 60
_LONGEST_TITLE = 60
_NOTE_PREVIEW = 160
_WHOLE_NOTE = MAX_NOTE + 80
"""Escaped, a note of ordinary text is little longer; all of them still fit one message."""

_STATES = (
    ("waiting", frozenset({TradeState.PREPARED, TradeState.OFFERED})),
    ("unclear", frozenset({TradeState.UNKNOWN})),
    ("on hold", frozenset({TradeState.HELD})),
    ("failed", frozenset({TradeState.FAILED})),
    ("cancelled", frozenset({TradeState.CANCELLED})),
    ("undone", frozenset({TradeState.REVERTED})),
    ("completed", frozenset({TradeState.COMPLETED})),
)
_STEPS = {
    NotAsked.TRADE_URL: "which needs the trade URL as `steam_id`.",
    NotAsked.REFERENCE: "which finds single trades by their numbers: `/trades` with `reference`.",
    NotAsked.OTHER_ACCOUNT: "where the client token that is set here is another account's.",
}
"""The first one that applies is the easiest."""
_VIEWED = {
    AuditAction.CUSTOMER_VIEWED: "this page",
    AuditAction.TRADES_VIEWED: "trades",
    AuditAction.INVENTORY_VIEWED: "inventory",
    AuditAction.REFERENCE_VIEWED: "an error",
}


def customer_page(customer: Customer, *, reader_id: int, explanations: Explanations) -> discord.Embed:
    """Return everything about a customer."""
    key = customer.key
    fields = [
        *_notes_field(customer.notes, reader_id),
        _trades_field(customer, explanations),
        *_resends_field(customer),
        *_errors_field(customer.errors),
        *_views_field(customer.views),
        Field("To copy", f"SteamID {code(str(key.steam_id))}" if key.steam_id else f"Member {code(str(key.user_id))}"),
    ]
    is_waiting = bool(customer.open_resends) or _has_open(customer.answer)
    return card(
        title="Customer",
        description="\n".join(_who(customer)),
        fields=fields,
        colour=Tone.WAITING if is_waiting else Tone.NEUTRAL,
    )


def notes_page(shown: NoteList, *, reader_id: int) -> discord.Embed:
    """Return all notes on a customer."""
    fields = [
        Field(f"Note {number}", f"{outside(note.text, _WHOLE_NOTE)}\n{_by(note, shown, reader_id)}")
        for number, note in enumerate(shown.notes, 1)
    ]
    left = NOTES_AT_MOST - len(shown.notes)
    room = f"Room for {left} more." if left > 0 else "There is no room for more."
    return card(
        title="Notes on this customer",
        description=" · ".join(_names(shown.key)) + ("" if fields else "\nThere is no note."),
        fields=fields,
        colour=Tone.NEUTRAL,
        footer=f"{room} With /mydata export the customer gets them, without names.",
    )


def note_options(shown: NoteList) -> list[discord.SelectOption]:
    """Return the notes that the reader may remove, as options."""
    return [
        discord.SelectOption(label=f"Note {number}", value=str(note.id), description=plain(note.text, 100))
        for number, note in enumerate(shown.notes, 1)
        if note.id in shown.removable
    ]


def _who(customer: Customer) -> Iterable[str]:
    """Yield the person, the account, and how far the link between them can be trusted."""
    key, link = customer.key, customer.link
    yield " · ".join(_names(key))
    if link is None:
        yield (
            "No Steam account is linked to them: `/link set` links one, or open this page by `steam_id`."
            if key.steam_id is None
            else "No member is linked to this account: `/link set` links one."
        )
    else:
        how = "by Steam sign-in" if link.source is LinkSource.SIGN_IN else f"by <@{link.linked_by}>"
        yield f"Linked {how} {relative(link.linked_at)}"
        yield from _trust(link, customer.read_at)
    if customer.former_holders:
        others = ", ".join(f"<@{user_id}>" for user_id in customer.former_holders)
        yield f"⚠️ Within the last 72 hours the account was linked to {others}."
    if customer.former_accounts:
        accounts = ", ".join(code(str(account)) for account in customer.former_accounts)
        yield f"⚠️ Within the last 72 hours they had {accounts}."


def _trust(link: Link, now: datetime) -> Iterable[str]:
    if link.is_self_made:
        yield "⚠️ They linked it themselves as staff: nothing confirms that it is theirs."
    if (until := link.waits_until(now)) is not None:
        what = "own resends wait" if link.source is LinkSource.SIGN_IN else "own resends and codes wait"
        yield f"⏳ **Fresh link:** {what} until {relative(until)}."


def _names(key: CustomerKey) -> list[str]:
    member = [] if key.user_id is None else [f"<@{key.user_id}>"]
    return member + ([] if key.steam_id is None else [f"[Steam profile]({profile_url(key.steam_id)})"])


def _notes_field(shown: NoteList, reader_id: int) -> list[Field]:
    lines = [
        f"{outside(note.text, _NOTE_PREVIEW)} · {_by(note, shown, reader_id)}" for note in shown.notes[:_NOTES_SHOWN]
    ]
    return [Field(f"📝 Notes: {len(shown.notes)}", "\n".join(lines))] if lines else []


def _by(note: Note, shown: NoteList, reader_id: int) -> str:
    """Return who wrote a note when, and about whom, if that is not the customer as they are now."""
    author = "the staff" if shown.hides_authors and note.author_id != reader_id else f"<@{note.author_id}>"
    line = f"{author} {relative(note.at)}"
    if note.user_id is not None and note.user_id != shown.key.user_id:
        return f"{line}, about <@{note.user_id}>"
    if note.steam_id is not None and note.steam_id != shown.key.steam_id:
        return f"{line}, with {code(str(note.steam_id))}"
    return line


def _trades_field(customer: Customer, explanations: Explanations) -> Field:
    """Return how many trades are in which state, the newest of those that matter, and what each provider said."""
    answer = customer.answer
    if answer is None:
        why = "No provider that lists trades is switched on." if customer.key.steam_id else "No account, no trades."
        return Field("Trades", why)
    if not answer.trades:
        said = notes(answer, explanations=explanations, staff=True)
        return Field("Trades", "\n".join(filter(None, [nothing(answer, staff=True), *said])))
    states = Counter(trade.state for trade in answer.trades)
    counts = ((word, sum(states[state] for state in group)) for word, group in _STATES)
    lines = [
        " · ".join(f"{number:,} {word}" for word, number in counts if number),
        *(_trade_line(trade) for trade in _leading(answer.trades)),
        *failures(answer, explanations, staff=True),
        *_left_out(answer),
    ]
    return Field("Trades", "\n".join(lines))


def _left_out(answer: TradesAnswer) -> Iterable[str]:
    """Yield whose trades may be missing: why is said by the page of trades."""
    partial = [part for part in answer.parts if part.unread or part.is_cut or part.is_full or part.limit is not None]
    if partial:
        yield f"Some may be missing: {_labels(partial)}. *Trades* says why."
    unasked = [part for part in answer.parts if part.not_asked is not None]
    families = {part.provider.family for part in answer.parts if part.not_asked is None}
    if unasked := [part for part in unasked if part.provider.family not in families]:
        lacking = {part.not_asked for part in unasked}
        yield f"Not asked: {_labels(unasked)}, {next(step for what, step in _STEPS.items() if what in lacking)}"


def _labels(parts: Iterable[TradesPart]) -> str:
    return ", ".join(dict.fromkeys(ProviderName(part.provider.family).label for part in parts))


def _leading(trades: Sequence[Trade]) -> Sequence[Trade]:
    """Return the newest trades, those first that may still change or that failed."""
    matter = (trade for trade in trades if trade.state.is_open or trade.state is TradeState.FAILED)
    first = list(islice(matter, _TRADES_SHOWN))
    others = (trade for trade in trades if trade not in first)
    return [*first, *islice(others, _TRADES_SHOWN - len(first))]


def _trade_line(trade: Trade) -> str:
    """Return a trade in a word and its number: *Trades* has the rest."""
    age = "" if trade.created_at is None else f" · {relative(trade.created_at)}"
    word = next(word for word, group in _STATES if trade.state in group)
    which = f"{label_for(trade.provider, staff=True)} {DIRECTIONS[trade.direction]} {code(trade.id, 48)}"
    return f"{symbol_of(trade)} **{word}** · {which}{age}"


def _has_open(answer: TradesAnswer | None) -> bool:
    return answer is not None and any(trade.state.is_open for trade in answer.trades)


def _resends_field(customer: Customer) -> list[Field]:
    """Return the requests, and which trade the button *Ask to resend* is about."""
    standing = customer.open_resends
    decided = [resend for resend in customer.resends if not resend.state.is_open]
    lines = [_resend_line(resend) for resend in (*standing, *decided)[: max(_RESENDS_SHOWN, len(standing))]]
    if (trade := customer.newest_resendable) is not None:
        lines.append(f"*Ask to resend* is about trade {code(trade.id)}")
    return [Field(f"Resends: {len(standing)} open", "\n".join(lines))] if lines else []


def _resend_line(resend: Resend) -> str:
    """Return a request: its state, by whom and why, and who asked for it and why."""
    state = f"**{resend.state.value}**"
    if resend.is_withdrawn:
        state = "**withdrawn**"
    elif (by := resend.settled_by or resend.decided_by) is not None:
        at = resend.settled_at or resend.decided_at
        state += f" by <@{by}>" + ("" if at is None else f" {relative(at)}")
    if resend.state is ResendState.DENIED:
        state += _reason(resend.decision_reason)
    card_link = link_to_card(resend) if resend.state.is_open else None
    trade = f"trade {code(str(resend.trade_id))}" + (f" · [card]({card_link})" if card_link else "")
    asked = f"asked by <@{resend.requested_by}> {relative(resend.requested_at)}{_reason(resend.reason)}"
    return f"{state} · {trade} · {asked}"


def _reason(text: str | None) -> str:
    return f" “{outside(text, _LONGEST_REASON)}”" if text else ""


def _errors_field(errors: Sequence[ErrorReference]) -> list[Field]:
    lines = [
        f"{outside(error.title, _LONGEST_TITLE)} {relative(error.at)} · reference {code(error.reference)}"
        for error in errors[:_ERRORS_SHOWN]
    ]
    return [Field("Last errors: /explain has the facts", "\n".join(lines))] if lines else []


def _views_field(views: Sequence[AuditRow]) -> list[Field]:
    """Return which staff looked last, equal views together with their newest time."""
    newest: dict[str, datetime] = {}
    for row in views:
        newest.setdefault(f"{actor_mention(row)} {_VIEWED[row.action]}", row.at)
    lines = [f"{what} {relative(at)}" for what, at in list(newest.items())[:_VIEWS_SHOWN]]
    return [Field("Last viewed by", "\n".join(lines))] if lines else []


register_messages(
    {
        NoteNotFound: ErrorMessage(
            "No such note of yours",
            "It was removed already, or a colleague wrote it. Nothing was changed.",
            "Open *All notes* again. A member with `access.manage` can remove anyone's notes.",
            again=NOT_AGAIN,
        ),
        TooManyNotes: ErrorMessage(
            "This customer has enough notes",
            f"SkinDesk keeps {NOTES_AT_MOST} notes on a customer. Yours was not added.",
            "Remove an old one first: *All notes*, *Remove a note…*.",
        ),
    }
)
