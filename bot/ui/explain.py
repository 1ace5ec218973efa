"""Explanations of errors: of a provider's failure that just happened, and the answers to ``/explain``."""

import re
from collections.abc import Sequence
from datetime import timedelta

import discord

from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, Fixer, Repeat
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.ports import Explanations
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, count, outside, relative

DIALECT_LABELS = {
    Dialect.ASSETPAY: "AssetPay (.gg)",
    Dialect.ASSETPAY_LEGACY: "AssetPay (.co)",
    Dialect.SKINSBACK: "SkinsBack",
    Dialect.MANNCO: "Mannco.store",
    Dialect.STEAM: "Steam",
    Dialect.CLOUDFLARE: "Cloudflare",
    Dialect.SKINDESK: "SkinDesk",
}
"""Whose error numbers a dialect has."""

_FIXERS_FOR_CUSTOMERS = {
    Fixer.AGENT: "A support agent",
    Fixer.ADMINISTRATOR: "The staff of this server",
    Fixer.PROVIDER: "The provider",
    Fixer.TIME: "No one: it clears up on its own",
}
_FIXERS_FOR_STAFF = {
    Fixer.CUSTOMER: "The customer",
    Fixer.ADMINISTRATOR: "An administrator of this server",
    Fixer.PROVIDER: "The provider",
    Fixer.TIME: "No one: it clears up on its own",
}
"""Who can fix an error. There is no label for the reader: "What you can do" tells them already."""

_UNNAMED = "unknown"
"""The catalogue's key for errors without documentation and without a key. No provider sends it."""

_ASKS_FOR_REFERENCE = re.compile(r", quote the reference,| and quote the reference")
_SHOWN = 8
_NEAR_SHOWN = 3
_QUOTED = 200


def failure_embed(failure: Failure, *, audience: Audience, explanations: Explanations, reference: str) -> discord.Embed:
    """Return the explanation of a provider's failure, for staff with the facts of the call."""
    return explanation_embed(
        explanations.explain(failure),
        audience=audience,
        provider=failure.provider.label,
        retry_after=failure.retry_after,
        facts=_facts(failure) if audience is Audience.STAFF else "",
        reference=reference,
    )


def explanation_embed(
    explanation: Explanation,
    *,
    audience: Audience,
    provider: str | None = None,
    retry_after: timedelta | None = None,
    facts: str = "",
    reference: str | None = None,
) -> discord.Embed:
    """Return an explanation for its reader. Customers do not see the key and meaning of a confidential one.

    With a ``reference`` the error just happened; ``facts`` about the failed call are for staff.
    """
    staff = audience is Audience.STAFF
    hidden = explanation.confidential and not staff
    label = provider or DIALECT_LABELS[explanation.dialect]
    what = "SkinDesk can't ask the provider right now: it is not set up right." if hidden else explanation.meaning
    for_customers = explanation.customer if reference is not None else without_reference(explanation.customer)
    fields = [Field("What you can do", explanation.agent if staff else for_customers)]
    if staff:
        fields.append(Field("What the customer can do", for_customers))
    if fixer := (_FIXERS_FOR_STAFF if staff else _FIXERS_FOR_CUSTOMERS).get(explanation.fixer):
        fields.append(Field("Who can fix it", fixer, inline=True))
    fields.append(Field("Try again", _when(explanation, retry_after), inline=True))
    if staff and explanation.cause:
        fields.append(Field("Why it happens", explanation.cause))
    if name := error_name(explanation, hidden=hidden):
        fields.append(Field("Error", f"{label} · {name}"))
    elif provider and reference is not None:
        fields.append(Field("Provider", label))
    if facts:
        fields.append(Field("For staff", facts))
    title = title_of(explanation, hidden=hidden)
    if reference is None:
        return card(title=f"📖 {title}", description=what, fields=fields)
    return card(title=f"⚠️ {title}", description=what, fields=fields, colour=Tone.BAD, footer=f"Reference {reference}")


def without_reference(step: str) -> str:
    """Return a customer's step for a page that shows no reference to quote."""
    return _ASKS_FOR_REFERENCE.sub("", step)


def title_of(explanation: Explanation, *, hidden: bool) -> str:
    """Return the title of an error; a neutral one if its meaning is ``hidden`` from the reader."""
    return "Something is not set up right" if hidden else explanation.title


def error_name(explanation: Explanation, *, hidden: bool = False) -> str:
    """Return the code and key of an error as the provider writes them, or "" if it has neither."""
    if explanation.dialect is Dialect.SKINDESK:
        return ""
    parts = []
    if explanation.code is not None:
        parts.append(f"code {code(str(explanation.code), 24)}")
    if not hidden and explanation.key and (explanation.known or explanation.key != _UNNAMED):
        parts.append(code(explanation.key, 120))
    return " · ".join(parts)


def _when(explanation: Explanation, retry_after: timedelta | None) -> str:
    wait = retry_after or explanation.repeat_after
    if explanation.repeat is Repeat.NEVER:
        return "It would end the same way again."
    if wait is not None:
        return relative(discord.utils.utcnow() + wait)
    if explanation.repeat is Repeat.LATER:
        return "In a few minutes."
    return "Once that is done."


def _facts(failure: Failure) -> str:
    facts = [f"provider {code(failure.provider.value, 32)}", f"kind {code(failure.kind.value, 32)}"]
    for name, value in (
        ("code", failure.code),
        ("key", failure.key),
        ("HTTP", failure.http_status),
        ("request", failure.request_id),
        ("at", failure.place),
        ("took", None if failure.took is None else f"{failure.took.total_seconds():.1f} s"),
    ):
        if value is not None:
            facts.append(f"{name} {code(str(value), 80)}")
    lines = [" · ".join(facts)]
    if failure.message and failure.kind is FailureKind.REFUSED:
        lines.append(f"The provider says: {outside(failure.message, 300)}")
    return "\n".join(lines)


def answer_embed(
    found: Sequence[Explanation],
    *,
    asked: str,
    audience: Audience,
    provider_named: bool,
    near: Sequence[Explanation] = (),
) -> discord.Embed:
    """Return the answer to ``/explain``: the meanings of ``asked``, or the ``near`` entries if it has none."""
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
        explanation, owner = distinct[0]
        return explanation_embed(explanation, audience=audience, provider=owner)
    if len({each.code for each, _ in distinct}) == 1:
        what = f"“{_quoted(asked)}” means different things. " + (
            "It depends on what was asked for." if provider_named else "Which provider was it?"
        )
        title = f"{len(distinct)} meanings"
    else:
        what = f"“{_quoted(asked)}” names more than one error."
        title = f"{len(distinct)} errors"
    return _several(distinct, title=title, what=what, audience=audience, hint="choose the provider, or paste less")


def message_embed(found: Sequence[Explanation], *, said: str, audience: Audience) -> discord.Embed:
    """Return the answer to the menu on a message: each error named in its text ``said``."""
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
        explanation, owner = distinct[0]
        return explanation_embed(explanation, audience=audience, provider=owner)
    one_number = len({each.code for each, _ in distinct}) == 1
    return _several(
        distinct,
        title=f"{len(distinct)} {'meanings' if one_number else 'errors'} in this message",
        what="Which provider was it?" if one_number else "Each with what to do about it.",
        audience=audience,
        hint="`/explain` with the provider shows the rest",
    )


def _did_you_mean(near: Sequence[Explanation], audience: Audience) -> list[Field]:
    lines = [
        f"{owner} · {error_name(each)} · {each.title}"
        for each, owner in _distinct(near, audience)
        if error_name(each) and (audience is Audience.STAFF or not each.confidential)
    ]
    return [Field("Did you mean", "\n".join(lines[:_NEAR_SHOWN]))] if lines else []


def _several(
    distinct: Sequence[tuple[Explanation, str]], *, title: str, what: str, audience: Audience, hint: str
) -> discord.Embed:
    staff = audience is Audience.STAFF
    left = len(distinct) - _SHOWN
    if left > 0:
        what += f"\nHere are the first {_SHOWN}, {count(left, 'more is', 'more are')} left out: {hint}."
    return card(
        title=title,
        description=what,
        fields=[_meaning(each, owner, staff=staff) for each, owner in distinct[:_SHOWN]],
        colour=Tone.NEUTRAL,
    )


def _distinct(found: Sequence[Explanation], audience: Audience) -> list[tuple[Explanation, str]]:
    """Return the explanations that read differently, each with its providers: AssetPay's dialects share most errors."""
    owners: dict[tuple[object, ...], dict[str, None]] = {}
    first: dict[tuple[object, ...], Explanation] = {}
    for each in found:
        hidden = each.confidential and audience is not Audience.STAFF
        said: tuple[object, ...] = (error_name(each, hidden=hidden), each.method, title_of(each, hidden=hidden))
        said += (each.meaning, each.customer, each.agent) if audience is Audience.STAFF else (each.customer,)
        first.setdefault(said, each)
        owners.setdefault(said, {})[DIALECT_LABELS[each.dialect]] = None
    return [(explanation, " and ".join(owners[said])) for said, explanation in first.items()]


def _meaning(explanation: Explanation, owner: str, *, staff: bool) -> Field:
    hidden = explanation.confidential and not staff
    names = (owner, error_name(explanation, hidden=hidden), explanation.method)
    step = explanation.agent if staff else without_reference(explanation.customer)
    return Field(" · ".join(filter(None, names)), f"**{title_of(explanation, hidden=hidden)}**\n{step}")


def _quoted(text: str) -> str:
    return outside(mask_trade_urls(text), _QUOTED)
