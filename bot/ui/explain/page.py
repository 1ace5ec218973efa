"""What an error, or each error in a text, means: one explanation in full, or several side by side."""

from collections.abc import Sequence

import discord

from bot.domain.failures import Explanation
from bot.domain.masking import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.ui.errors import DIALECT_LABELS, error_name, explanation_embed, title_of, without_reference
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import count, outside

_SHOWN = 8
_NEAR_SHOWN = 3
_QUOTED = 200


def answer_embed(
    found: Sequence[Explanation],
    *,
    asked: str,
    audience: Audience,
    provider_named: bool,
    near: Sequence[Explanation] = (),
) -> discord.Embed:
    """Return the answer to ``/explain``: what ``asked`` means, or that nobody documented it.

    ``near`` are entries that may be meant where nothing was found.
    """
    distinct = _distinct(found, audience)
    if not distinct:
        return card(
            title="Not in the catalogue",
            description=f"“{_quoted(asked)}” is no error that SkinDesk knows.",
            fields=[
                *_did_you_mean(near, audience),
                Field(
                    "What you can do",
                    "Type the number or the key alone and choose from the list, or leave the provider out. "
                    "If a provider really sent it, tell the staff the whole message.",
                ),
            ],
        )
    if len(distinct) == 1:
        return _only(distinct[0], audience)
    if len({each.code for each, _ in distinct}) == 1:
        what = f"“{_quoted(asked)}” means different things. " + (
            "It depends on what was asked for." if provider_named else "Which provider was it?"
        )
        title = f"{len(distinct)} meanings"
    else:
        what = f"“{_quoted(asked)}” names more than one error."
        title = f"{len(distinct)} errors"
    return _several(distinct, title=title, what=what, audience=audience, narrower="choose the provider, or paste less")


def message_embed(found: Sequence[Explanation], *, said: str, audience: Audience) -> discord.Embed:
    """Return the answer to the menu on a message: every error that ``said``, the message's text, names."""
    distinct = _distinct(found, audience)
    if not distinct:
        return card(
            title="No error code in this message",
            description=(
                f"“{_quoted(said)}” names no error that SkinDesk knows."
                if said.strip()
                else "It has no text that could be read: a picture of an error cannot be explained."
            ),
            fields=[
                Field(
                    "What you can do",
                    "Give the number or the key to `/explain`. In a message a number counts as a code behind a word "
                    "such as “error” or “code”.",
                )
            ],
        )
    if len(distinct) == 1:
        return _only(distinct[0], audience)
    one_number = len({each.code for each, _ in distinct}) == 1
    return _several(
        distinct,
        title=f"{len(distinct)} {'meanings' if one_number else 'errors'} in this message",
        what="Which provider was it?" if one_number else "Each with what to do about it.",
        audience=audience,
        narrower="`/explain` with the provider shows the rest",
    )


def _did_you_mean(near: Sequence[Explanation], audience: Audience) -> list[Field]:
    lines = [
        f"{whose} · {error_name(each)} · {each.title}"
        for each, whose in _distinct(near, audience)
        if error_name(each) and (audience is Audience.STAFF or not each.confidential)
    ]
    return [Field("Did you mean", "\n".join(lines[:_NEAR_SHOWN]))] if lines else []


def _only(found: tuple[Explanation, str], audience: Audience) -> discord.Embed:
    explanation, whose = found
    return explanation_embed(explanation, audience=audience, provider=whose)


def _several(
    distinct: Sequence[tuple[Explanation, str]], *, title: str, what: str, audience: Audience, narrower: str
) -> discord.Embed:
    staff = audience is Audience.STAFF
    left = len(distinct) - _SHOWN
    if left > 0:
        what += f"\nHere are the first {_SHOWN}, {count(left, 'more is', 'more are')} left out: {narrower}."
    return card(
        title=title,
        description=what,
        fields=[_meaning(each, whose, staff=staff) for each, whose in distinct[:_SHOWN]],
        colour=Tone.NEUTRAL,
    )


def _distinct(found: Sequence[Explanation], audience: Audience) -> list[tuple[Explanation, str]]:
    """Return what this reader is told differently, each with whose it is: AssetPay's dialects share most errors."""
    owners: dict[tuple[object, ...], dict[str, None]] = {}
    first: dict[tuple[object, ...], Explanation] = {}
    for each in found:
        hidden = each.confidential and audience is not Audience.STAFF
        said: tuple[object, ...] = (error_name(each, hidden=hidden), each.method, title_of(each, hidden=hidden))
        said += (each.meaning, each.customer, each.agent) if audience is Audience.STAFF else (each.customer,)
        first.setdefault(said, each)
        owners.setdefault(said, {})[DIALECT_LABELS[each.dialect]] = None
    return [(explanation, " and ".join(owners[said])) for said, explanation in first.items()]


def _meaning(explanation: Explanation, whose: str, *, staff: bool) -> Field:
    hidden = explanation.confidential and not staff
    names = (whose, error_name(explanation, hidden=hidden), explanation.method)
    step = explanation.agent if staff else without_reference(explanation.customer)
    return Field(" · ".join(filter(None, names)), f"**{title_of(explanation, hidden=hidden)}**\n{step}")


def _quoted(text: str) -> str:
    return outside(mask_trade_urls(text), _QUOTED)
