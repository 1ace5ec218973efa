"""The approval card, and the messages about a resend's state and outcome."""

import re

import discord

from bot.domain.errors import AlreadyDecided, CardReplaced
from bot.domain.resends import ALARM, Outcome, Resend, ResendState
from bot.domain.secrets import TradeCode
from bot.languages import paragraph, t
from bot.ports import Explanations
from bot.ui.kit.layout import Field, Tone, card, fit
from bot.ui.kit.text import code, outside, relative
from bot.ui.resends.asked import by_whom
from bot.ui.resends.changes import change_fields
from bot.ui.resends.facts import (
    asker_field,
    bot_field,
    item_fields,
    last_error_fields,
    owner_field,
    then_and_now,
    trade_field,
)
from bot.ui.resends.states import (
    OUTCOMES_IN_MESSAGES,
    RESUME,
    STATES,
    outcome_sentences,
    short_title,
    state_sentences,
    state_title,
    taken_sentence,
)

_WHY = 160
"""UTF-16 units of the reason why an earlier request ended so."""

_VERSION = re.compile(
    r"(?:#(?P<id>\d{1,18}) · v|Request (?P<id_before>\d{1,18}) · version )(?P<version>\d{1,9})\b", re.ASCII
)
"""The version in the footer, the same in every language, and as cards had it before there were languages.

A click brings its message with it, so the custom ids need not have it.
"""


def resend_card(resend: Resend, explanations: Explanations) -> discord.Embed:
    """Return the card for the approvals channel: what decides first, every fact of the trade, but never its code."""
    earlier, of_customer = (resend.context.earlier, resend.context.of_customer) if resend.context else ((), ())
    if resend.state.is_open:
        fields = [
            *change_fields(resend, explanations),
            *last_error_fields(resend, explanations),
            *_history_fields(t("Earlier requests for this trade"), earlier),
            owner_field(resend),
            asker_field(resend),
            trade_field(resend, explanations),
            *item_fields(resend),
            bot_field(resend),
            *_history_fields(t("Other trades of this account"), of_customer, names_trade=True),
        ]
    else:
        fields = [
            owner_field(resend),
            asker_field(resend),
            trade_field(resend, explanations),
            *then_and_now(resend, explanations),
            *item_fields(resend),
            bot_field(resend),
        ]
    footer = ""
    if resend.state is ResendState.PENDING:
        advice = t("Approving sends the offer once. Look at status and last error first.")
        footer = f"#{resend.id} · {version_mark(resend)} · {advice}"
    return card(
        title=state_title(resend),
        description="\n".join(_lines(resend)),
        fields=fields,
        colour=STATES[resend.state].tone,
        footer=footer,
    )


def _lines(resend: Resend) -> list[str]:
    """Return the state of the request."""
    lines = []
    if ALARM in resend.notes:
        alarm = t("🚨 **ALARM: the answer was about another trade. All resends here were stopped.**")
        lines.append(paragraph(alarm, RESUME))
    is_reminder = resend.state is ResendState.PENDING and resend.reminded_at is not None
    if is_reminder:
        # Translators: {when} is like "in 5 minutes"
        lines.append(t("**Still waiting: expires {when}.**", when=relative(resend.expires_at)))
    else:
        lines.append(f"**{state_sentences(resend)}**")
    if resend.state is ResendState.PENDING and not is_reminder:
        # Translators: a request; {when} is like "in 5 minutes"
        lines.append(t("Expires {when}.", when=relative(resend.expires_at)))
    if resend.taken_by is not None and resend.taken_at is not None:
        lines.append(f"👀 {paragraph(taken_sentence(resend), t('Others may still decide.'))}")
    lines += outcome_sentences(resend)
    if resend.outcome_detail and resend.outcome is Outcome.OTHER_TRADE:
        lines.append(t("The answer named trade {trade}.", trade=code(resend.outcome_detail, 24)))
    elif resend.outcome_detail and resend.outcome is not Outcome.MARKED:
        lines.append(t("Details: {details}", details=outside(resend.outcome_detail, 300)))
    return lines


def _history_fields(name: str, ended: tuple[Resend, ...], *, names_trade: bool = False) -> list[Field]:
    """Return how earlier requests ended, the newest first."""
    lines = [_history_line(each, names_trade=names_trade) for each in ended]
    return [Field(name, "\n".join(lines))] if lines else []


def _history_line(ended: Resend, *, names_trade: bool) -> str:
    """Return how an earlier request ended, by whom and why, in one line."""
    facts = [f"**{short_title(ended)}**"]
    if names_trade:
        facts.append(t("trade #{trade}", trade=ended.trade_id))
    if ended.state is ResendState.DENIED and ended.decided_by is not None:
        facts.append(by_whom(ended.decided_by))
    if ended.settled_at is not None:
        facts.append(relative(ended.settled_at))
    why = outcome_sentences(ended)[:1] if ended.state in (ResendState.DENIED, ResendState.FAILED) else []
    return " · ".join([*facts, *(fit(text, _WHY) for text in why)])


def link_to_card(resend: Resend) -> str | None:
    """Return the address of the request's card."""
    if resend.message_id is None:
        return None
    return f"https://discord.com/channels/{resend.guild_id}/{resend.channel_id}/{resend.message_id}"


def late_card(late: CardReplaced | AlreadyDecided, explanations: Explanations) -> discord.Embed:
    """Return what a pressed message shows instead of its buttons, which are of no use any more."""
    if isinstance(late, AlreadyDecided):
        return resend_card(late.resend, explanations)
    link = link_to_card(late.resend)
    return card(
        title=t("↪️ Resend {id} · this card was replaced", id=late.resend.id),
        description=t("The request is on [its newest card]({link}).", link=link)
        if link
        else t("`/approvals` lists the open requests."),
        colour=Tone.NEUTRAL,
    )


def version_mark(resend: Resend) -> str:
    """Return the version as the last line of a card has it, in every language."""
    return f"v{resend.version}"


def version_on(message: discord.Message | None, resend_id: int) -> int | None:
    """Return the version that a message shows of a request; None if its embed is hidden or shows another request."""
    if message is None or message.flags.suppress_embeds:
        return None
    for embed in message.embeds:
        found = _VERSION.search(embed.footer.text or "")
        if found is not None and int(found["id"] or found["id_before"]) == resend_id:
            return int(found["version"])
    return None


def outcome_embed(resend: Resend, *, reader: int, code: TradeCode | None) -> discord.Embed:
    """Return the message to requester or owner. Give the ``code`` only for the owner's direct message."""
    text, is_for_another = STATES[resend.state], reader == resend.requested_by != resend.owner_user_id
    advice = (text.for_staff if is_for_another else None) or text.advice
    lines = [_trade_line(resend), state_sentences(resend), *outcome_sentences(resend, OUTCOMES_IN_MESSAGES)]
    if advice is not None:
        lines.append(advice())
    if code is not None:
        lines.append(t("Your new code: {code}. The staff never asks you for it.", code=f"`{code.reveal()}`"))
    return card(title=state_title(resend), description="\n".join(lines), colour=text.tone)


def decision_embed(resend: Resend) -> discord.Embed:
    """Return the answer to the moderator who decided."""
    if resend.state is ResendState.UNKNOWN:
        step = t(
            "If it stays unclear, look for the offer in Mannco.store's dashboard, then press *Mark as sent* or "
            "*Mark as failed* on the card."
        )
    else:
        step = t("SkinDesk tells the requester and the owner. If it cannot reach them, the card says so.")
    lines = [_trade_line(resend), state_sentences(resend), *outcome_sentences(resend), step]
    return card(title=state_title(resend), description="\n".join(lines), colour=STATES[resend.state].tone)


def _trade_line(resend: Resend) -> str:
    return t("Trade #{trade}", trade=resend.trade_id)
