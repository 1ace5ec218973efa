"""The approval card: what a moderator has to know to judge a resend, and how it ended."""

import re

import discord

from bot.domain.resends import ALARM, Outcome, Resend, ResendState
from bot.domain.secrets import TradeCode
from bot.ports import Explanations
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, count, outside, relative
from bot.ui.resends.messages import RESUME, change_sentences, outcome_sentences, state_sentence

_SYMBOLS = {
    ResendState.PENDING: "⏳",
    ResendState.APPROVED: "📨",
    ResendState.SENDING: "📨",
    ResendState.SENT: "✅",
    ResendState.FAILED: "❌",
    ResendState.UNKNOWN: "❓",
    ResendState.DENIED: "⛔",
    ResendState.EXPIRED: "⌛",
    ResendState.CANCELLED: "⛔",
}
_COLOURS = {
    ResendState.SENT: Tone.GOOD,
    ResendState.FAILED: Tone.BAD,
    ResendState.UNKNOWN: Tone.BAD,
    ResendState.DENIED: Tone.NEUTRAL,
    ResendState.EXPIRED: Tone.NEUTRAL,
    ResendState.CANCELLED: Tone.NEUTRAL,
}
_NOT_APPROVED = frozenset({ResendState.PENDING, ResendState.CANCELLED})
"""Where it matters what the card showed before: to who decides next, and to who could not decide."""

_NEXT = {
    ResendState.DENIED: "Questions about it: ask the staff, with the trade's number.",
    ResendState.EXPIRED: "If the trade still needs it, ask again with `/resend`.",
    ResendState.FAILED: "`/trades scope:all` shows where the trade stands now.",
    ResendState.CANCELLED: "`/trades scope:all` shows where the trade stands now.",
    ResendState.UNKNOWN: "Do not ask for it again meanwhile: whoever asked is told as soon as it is clear.",
}
"""What requester and owner can do next, where their offer is not on its way."""

_IDS_SHOWN = 12

_VERSION = re.compile(r"Request (?P<id>\d{1,18}) · version (?P<version>\d{1,9})\b", re.ASCII)
"""How the footer says what is shown. The buttons' custom ids do not; a click brings its message with it."""


def resend_card(resend: Resend, explanations: Explanations) -> discord.Embed:
    """Return the card for the approvals channel. It shows every fact of the trade but its code."""
    facts = resend.facts
    status = explanations.status(resend.provider.dialect, str(facts.status))
    fields = [
        Field("Trade", f"#{resend.trade_id} at {resend.provider.label}", inline=True),
        Field("Owner", f"SteamID `{resend.owner}`", inline=True),
        Field("Status", f"{status.title} ({code(str(facts.status), 8)})"),
        Field(f"Items to send: {len(facts.items_send)}", _ids(facts.items_send)),
    ]
    if facts.items_received:
        fields.append(Field(f"Items to receive: {len(facts.items_received)}", _ids(facts.items_received)))
    fields += [
        Field("Last error", outside(facts.last_error, 500) if facts.last_error else "none"),
        Field("Steam offer", code(facts.offer_id, 32) if facts.offer_id else "none", inline=True),
        Field("Asked by", f"<@{resend.requested_by}> {relative(resend.requested_at)}", inline=True),
        Field("Reason", outside(resend.reason, 400) if resend.reason else "none given"),
    ]
    if resend.state in _NOT_APPROVED and (changes := change_sentences(resend, explanations)):
        fields.insert(0, Field("⚠️ Changed before it could be approved", "\n".join(changes)))
    if resend.state is ResendState.PENDING:
        fields.append(Field("Expires", relative(resend.expires_at)))
    lines = [f"**{_opening(state_sentence(resend))}**", *_ending(resend)]
    if resend.state is ResendState.PENDING and resend.reminded_at is not None:
        lines.insert(0, f"**Still waiting: expires {relative(resend.expires_at)}.**")
    if ALARM in resend.notes:
        lines.insert(0, f"🚨 **ALARM: the answer was about another trade. All resends here were stopped.** {RESUME}")
    return card(
        title=f"{_SYMBOLS[resend.state]} Resend {resend.id} · {resend.state.value}",
        description="\n".join(lines),
        fields=fields,
        colour=_COLOURS.get(resend.state, Tone.WAITING),
        footer=_footer(resend),
    )


def version_on(message: discord.Message | None, resend_id: int) -> int | None:
    """Return which version of a request a message shows; None where it shows none.

    That is so where a moderator has hidden the message's embed: nothing was there to be judged.
    """
    if message is None or message.flags.suppress_embeds:
        return None
    for embed in message.embeds:
        found = _VERSION.search(embed.footer.text or "")
        if found is not None and int(found["id"]) == resend_id:
            return int(found["version"])
    return None


def outcome_embed(resend: Resend, *, code: TradeCode | None) -> discord.Embed:
    """Return what requester and owner are told. ``code`` is given for the owner's direct message only."""
    lines = [f"The resend of trade #{resend.trade_id}: {state_sentence(resend)}", *outcome_sentences(resend)]
    lines += filter(None, [_NEXT.get(resend.state)])
    if resend.state is ResendState.SENT:
        lines.append("Accept the new offer in Steam only if its bot and code are those that `/trades` shows.")
    if code is not None:
        lines.append(f"Your new code: `{code.reveal()}`. Nobody of the staff asks you for it.")
    return card(
        title=f"{_SYMBOLS[resend.state]} Resend {resend.id} · {resend.state.value}",
        description="\n".join(lines),
        colour=_COLOURS.get(resend.state, Tone.WAITING),
    )


def _opening(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _ending(resend: Resend) -> list[str]:
    lines = outcome_sentences(resend)
    if resend.outcome_detail and resend.outcome is Outcome.OTHER_TRADE:
        lines.append(f"The answer named trade {code(resend.outcome_detail, 24)}.")
    elif resend.outcome_detail and resend.outcome is not Outcome.MARKED:
        lines.append(f"Details: {outside(resend.outcome_detail, 300)}")
    return lines


def _ids(asset_ids: tuple[str, ...]) -> str:
    shown = [code(asset_id, 32) for asset_id in asset_ids[:_IDS_SHOWN]]
    left = len(asset_ids) - len(shown)
    more = f" and {count(left, 'more item')}" if left else ""
    return (" ".join(shown) + more) or "none"


def _footer(resend: Resend) -> str:
    if resend.state is ResendState.PENDING:
        shown = f"Request {resend.id} · version {resend.version}"
        return f"{shown} · Approving sends the offer once. Look at status and last error first."
    return ""
