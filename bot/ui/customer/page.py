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
from bot.languages import Message, listed, number, paragraph, t, tn
from bot.ports import Explanations
from bot.ui.audit import actor_mention
from bot.ui.errors import NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, outside, plain, quoted, relative
from bot.ui.references import title_for_reader
from bot.ui.resends.card import link_to_card
from bot.ui.resends.states import short_title
from bot.ui.resends.usual_reasons import shown_reason
from bot.ui.trades.facts import symbol_of, which_of
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
    # Translators: the states of trades. Each stands alone, as in "waiting: 3".
    (Message("waiting", "state of a trade"), frozenset({TradeState.PREPARED, TradeState.OFFERED})),
    (Message("unclear", "state of a trade"), frozenset({TradeState.UNKNOWN})),
    (Message("on hold", "state of a trade"), frozenset({TradeState.HELD})),
    (Message("failed", "state of a trade"), frozenset({TradeState.FAILED})),
    (Message("cancelled", "state of a trade"), frozenset({TradeState.CANCELLED})),
    # Translators: Steam or the provider took the trade back.
    (Message("reversed", "state of a trade"), frozenset({TradeState.REVERTED})),
    (Message("completed", "state of a trade"), frozenset({TradeState.COMPLETED})),
)
_NOT_ASKED = {
    NotAsked.TRADE_URL: Message("Not asked: {providers}. To include its trades, give the trade URL as `steam_id`."),
    NotAsked.REFERENCE: Message(
        "Not asked: {providers}. It finds single trades by their numbers: `/trades` with `reference`."
    ),
    NotAsked.OTHER_ACCOUNT: Message("Not asked: {providers}. The client token that is set here is another account's."),
}
"""The first one that applies is the easiest."""
_VIEWED = {
    # Translators: what a person viewed; each stands alone.
    AuditAction.CUSTOMER_VIEWED: Message("this page"),
    AuditAction.TRADES_VIEWED: Message("trades", "viewed by staff"),
    AuditAction.INVENTORY_VIEWED: Message("inventory", "viewed by staff"),
    AuditAction.REFERENCE_VIEWED: Message("an error", "viewed by staff"),
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
        # Translators: an id follows, to be copied.
        Field(t("To copy"), _to_copy(key)),
    ]
    is_waiting = bool(customer.open_resends) or _has_open(customer.answer)
    return card(
        title=t("Customer"),
        description="\n".join(_who(customer)),
        fields=fields,
        colour=Tone.WAITING if is_waiting else Tone.NEUTRAL,
    )


def _to_copy(key: CustomerKey) -> str:
    if key.steam_id is not None:
        return t("SteamID {account}", account=code(str(key.steam_id)))
    return t("User ID {user}", user=code(str(key.user_id)))


def notes_page(shown: NoteList, *, reader_id: int) -> discord.Embed:
    """Return all notes on a customer."""
    fields = [
        Field(_note_title(number), f"{outside(note.text, _WHOLE_NOTE)}\n{_by(note, shown, reader_id)}")
        for number, note in enumerate(shown.notes, 1)
    ]
    left = NOTES_AT_MOST - len(shown.notes)
    room = t("There is no room for more notes.")
    if left > 0:
        room = tn("Room for {count} more note.", "Room for {count} more notes.", left)
    who = " · ".join(_names(shown.key))
    return card(
        title=t("Notes on this customer"),
        description=who if fields else f"{who}\n{t('There is no note.')}",
        fields=fields,
        colour=Tone.NEUTRAL,
        footer=paragraph(room, t("With /mydata export the customer gets them, without names.")),
    )


def note_options(shown: NoteList) -> list[discord.SelectOption]:
    """Return the notes that the reader may remove, as options."""
    return [
        discord.SelectOption(label=_note_title(number), value=str(note.id), description=plain(note.text, 100))
        for number, note in enumerate(shown.notes, 1)
        if note.id in shown.removable
    ]


def _note_title(place: int) -> str:
    return t("Note {number}", number=place)


def _who(customer: Customer) -> Iterable[str]:
    """Yield the person, the account, and how far the link between them can be trusted."""
    key, link = customer.key, customer.link
    yield " · ".join(_names(key))
    if link is None:
        if key.steam_id is None:
            yield t("No Steam account is linked to them: `/link set` links one, or open this page by `steam_id`.")
        else:
            yield t("No member is linked to this account: `/link set` links one.")
    else:
        when = relative(link.linked_at)
        if link.source is LinkSource.SIGN_IN:
            yield t("Linked by Steam sign-in ({when})", when=when)
        else:
            yield t("Linked by {who} ({when})", who=f"<@{link.linked_by}>", when=when)
        yield from _trust(link, customer.read_at)
    if customer.former_holders:
        members = listed(f"<@{user_id}>" for user_id in customer.former_holders)
        yield t("⚠️ Within the last 72 hours this account was linked to: {members}", members=members)
    if customer.former_accounts:
        accounts = listed(code(str(account)) for account in customer.former_accounts)
        yield t("⚠️ Within the last 72 hours this member was linked to: {accounts}", accounts=accounts)


def _trust(link: Link, now: datetime) -> Iterable[str]:
    if link.is_self_made:
        yield t("⚠️ They linked it themselves as staff: nothing confirms that it is theirs.")
    if (until := link.waits_until(now)) is not None:
        # Translators: {when} is like "in 5 hours".
        if link.source is LinkSource.SIGN_IN:
            yield t("⏳ **Fresh link:** own resends have to wait. They start {when}.", when=relative(until))
        else:
            yield t("⏳ **Fresh link:** own resends and codes have to wait. They start {when}.", when=relative(until))


def _names(key: CustomerKey) -> list[str]:
    member = [] if key.user_id is None else [f"<@{key.user_id}>"]
    return member + ([] if key.steam_id is None else [f"[{t('Steam profile')}]({profile_url(key.steam_id)})"])


def _notes_field(shown: NoteList, reader_id: int) -> list[Field]:
    lines = [
        f"{outside(note.text, _NOTE_PREVIEW)} · {_by(note, shown, reader_id)}" for note in shown.notes[:_NOTES_SHOWN]
    ]
    return [Field(t("📝 Notes: {count}", count=len(shown.notes)), "\n".join(lines))] if lines else []


def _by(note: Note, shown: NoteList, reader_id: int) -> str:
    """Return who wrote a note when, and about whom, if that is not the customer as they are now."""
    # Translators: stands for the name of a colleague that a reader does not learn.
    author = t("the staff") if shown.hides_authors and note.author_id != reader_id else f"<@{note.author_id}>"
    facts = [author, relative(note.at)]
    if note.user_id is not None and note.user_id != shown.key.user_id:
        facts.append(t("about: {who}", who=f"<@{note.user_id}>"))
    elif note.steam_id is not None and note.steam_id != shown.key.steam_id:
        facts.append(t("about: {who}", who=code(str(note.steam_id))))
    return " · ".join(facts)


def _trades_field(customer: Customer, explanations: Explanations) -> Field:
    """Return how many trades are in which state, the newest of those that matter, and what each provider said."""
    answer = customer.answer
    if answer is None:
        if customer.key.steam_id is not None:
            return Field(t("Trades"), t("No provider that lists trades is switched on."))
        return Field(t("Trades"), t("Without a linked Steam account there are no trades to show."))
    if not answer.trades:
        said = notes(answer, explanations=explanations, staff=True)
        return Field(t("Trades"), "\n".join(filter(None, [nothing(answer, staff=True), *said])))
    states = Counter(trade.state for trade in answer.trades)
    counts = ((word, sum(states[state] for state in group)) for word, group in _STATES)
    lines = [
        " · ".join(t("{state}: {count}", state=word, count=number(n)) for word, n in counts if n),
        *(_trade_line(trade) for trade in _leading(answer.trades)),
        *failures(answer, explanations, staff=True),
        *_left_out(answer),
    ]
    return Field(t("Trades"), "\n".join(lines))


def _left_out(answer: TradesAnswer) -> Iterable[str]:
    """Yield whose trades may be missing: why is said by the page of trades."""
    partial = [part for part in answer.parts if part.unread or part.is_cut or part.is_full or part.limit is not None]
    if partial:
        yield t("Some may be missing: {providers}. *Trades* says why.", providers=_labels(partial))
    unasked = [part for part in answer.parts if part.not_asked is not None]
    families = {part.provider.family for part in answer.parts if part.not_asked is None}
    if unasked := [part for part in unasked if part.provider.family not in families]:
        lacking = {part.not_asked for part in unasked}
        message = next(message for what, message in _NOT_ASKED.items() if what in lacking)
        yield message(providers=_labels(unasked))


def _labels(parts: Iterable[TradesPart]) -> str:
    return listed(dict.fromkeys(ProviderName(part.provider.family).label for part in parts))


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
    which = which_of(trade, code(trade.id, 48), staff=True)
    return f"{symbol_of(trade)} **{word}** · {which}{age}"


def _has_open(answer: TradesAnswer | None) -> bool:
    return answer is not None and any(trade.state.is_open for trade in answer.trades)


def _resends_field(customer: Customer) -> list[Field]:
    """Return the requests, and which trade the button *Ask to resend* is about."""
    standing = customer.open_resends
    decided = [resend for resend in customer.resends if not resend.state.is_open]
    lines = [_resend_line(resend) for resend in (*standing, *decided)[: max(_RESENDS_SHOWN, len(standing))]]
    if (trade := customer.newest_resendable) is not None:
        lines.append(t("*Ask to resend* is about trade {trade}", trade=code(trade.id)))
    return [Field(t("Open resends: {count}", count=len(standing)), "\n".join(lines))] if lines else []


def _resend_line(resend: Resend) -> str:
    """Return a request: its state, by whom and why, and who asked for it and why."""
    facts = [f"**{short_title(resend)}**"]
    if not resend.is_withdrawn and (by := resend.settled_by or resend.decided_by) is not None:
        at = resend.settled_at or resend.decided_at
        facts.append(t("by {who}", who=f"<@{by}>") if at is None else _by_whom(by, at))
    if resend.state is ResendState.DENIED:
        facts += _reason(shown_reason(resend.decision_reason or ""))
    facts.append(t("trade {trade}", trade=code(str(resend.trade_id))))
    if resend.state.is_open and (link := link_to_card(resend)):
        # Translators: a link to the card of the request.
        facts.append(f"[{t('card')}]({link})")
    asked = t("asked for by {who} ({when})", who=f"<@{resend.requested_by}>", when=relative(resend.requested_at))
    return " · ".join([*facts, asked, *_reason(resend.reason)])


def _by_whom(user_id: int, at: datetime) -> str:
    return t("by {who} ({when})", who=f"<@{user_id}>", when=relative(at))


def _reason(text: str | None) -> list[str]:
    return [quoted(outside(text, _LONGEST_REASON))] if text else []


def _errors_field(errors: Sequence[ErrorReference]) -> list[Field]:
    lines = [
        " · ".join(
            [
                outside(title_for_reader(error), _LONGEST_TITLE),
                relative(error.at),
                t("reference {reference}", reference=code(error.reference)),
            ]
        )
        for error in errors[:_ERRORS_SHOWN]
    ]
    return [Field(t("Last errors: /explain has the facts"), "\n".join(lines))] if lines else []


def _views_field(views: Sequence[AuditRow]) -> list[Field]:
    """Return which staff looked last, equal views together with their newest time."""
    newest: dict[str, datetime] = {}
    for row in views:
        newest.setdefault(f"{actor_mention(row)} · {_VIEWED[row.action]()}", row.at)
    lines = [f"{what} · {relative(at)}" for what, at in list(newest.items())[:_VIEWS_SHOWN]]
    return [Field(t("Last viewed by"), "\n".join(lines))] if lines else []


register_messages(
    {
        NoteNotFound: ErrorMessage(
            Message("No such note of yours"),
            Message("It was removed already, or a colleague wrote it. Nothing was changed."),
            Message("Open *All notes* again. A member with `access.manage` can remove anyone's notes."),
            again=NOT_AGAIN,
        ),
        TooManyNotes: lambda *_: ErrorMessage(
            Message("This customer has enough notes"),
            tn(
                "SkinDesk keeps {count} note on a customer. Yours was not added.",
                "SkinDesk keeps {count} notes on a customer. Yours was not added.",
                NOTES_AT_MOST,
            ),
            Message("Remove an old one first: *Remove a note…* under *All notes*."),
        ),
    }
)
