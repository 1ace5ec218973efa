"""Explanations of errors: of a provider's failure that just happened, and the answers to ``/explain``."""

from collections.abc import Sequence
from datetime import timedelta

import discord

from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, Fixer, Repeat, StatusExplanation
from bot.domain.snapshots import Audience
from bot.languages import Message, decimal, paragraph, t
from bot.ports import Explanations
from bot.ui.failure_details import NOTHING_WRONG, facts_of_check, raw_details, readable_details, status_of_check
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, outside, relative

_FIXERS_FOR_CUSTOMERS = {
    Fixer.AGENT: Message("A support agent"),
    Fixer.ADMINISTRATOR: Message("The staff of this server"),
    Fixer.PROVIDER: Message("The provider"),
    Fixer.TIME: Message("No one: it clears up on its own"),
}
_FIXERS_FOR_STAFF = {
    Fixer.CUSTOMER: Message("The customer"),
    Fixer.ADMINISTRATOR: Message("An administrator of this server"),
    Fixer.PROVIDER: Message("The provider"),
    Fixer.TIME: Message("No one: it clears up on its own"),
}
"""Who can fix an error. There is no label for the reader: "What you can do" tells them already."""

_STATUS_KINDS = {
    "trade": Message("trade status {status}"),
    "deposit": Message("deposit status {status}"),
    "tradeurl_check": Message("check of a trade URL {status}"),
    "market_offer": Message("offer status {status}"),
    "trade_offer": Message("offer state {status}"),
}

_OTHER_STATUS = Message("status {status}")
# Translators: the reference of the error is at the bottom of the message.
_QUOTE_IT = Message("Quote the reference below when you ask the staff.")

_STAFF = frozenset({Fixer.AGENT, Fixer.ADMINISTRATOR})

_UNNAMED = "unknown"
"""The catalogue's key for errors without documentation and without a key. No provider sends it."""

_CALL_FACTS = {
    "provider": Message("provider {value}"),
    "kind": Message("kind {value}"),
    "code": Message("code {value}"),
    "key": Message("key {value}"),
    "http": Message("HTTP {value}"),
    "request": Message("request {value}"),
    # Translators: {value} is a place in the provider's answer, such as "body".
    "place": Message("at {value}"),
    # Translators: {value} is a duration, such as "0.4 s".
    "took": Message("took {value}"),
}
"""The facts of a failed call. Staff search for their values, which are in code form."""


def failure_embed(failure: Failure, *, audience: Audience, explanations: Explanations, reference: str) -> discord.Embed:
    """Return the explanation of a provider's failure, for staff with the facts of the call."""
    explanation = explanations.explain(failure)
    hidden = explanation.confidential and audience is not Audience.STAFF
    return explanation_embed(
        explanation,
        audience=audience,
        provider=failure.provider.label,
        retry_after=failure.retry_after,
        details=() if hidden else readable_details(failure.details),
        check=None if hidden else _trade_url_check(failure, explanations, staff=audience is Audience.STAFF),
        facts=failure_facts(failure) if audience is Audience.STAFF else "",
        reference=reference,
    )


def explanation_embed(
    explanation: Explanation,
    *,
    audience: Audience,
    provider: str | None = None,
    retry_after: timedelta | None = None,
    details: Sequence[str] = (),
    check: Field | None = None,
    facts: str = "",
    reference: str | None = None,
) -> discord.Embed:
    """Return an explanation for its reader. Customers do not see the meaning of a confidential one.

    With a ``reference`` the error just happened; ``details`` are what the provider said about the account or trade,
    ``check`` what it says about the trade URL, and ``facts`` about the failed call are for staff.
    """
    staff = audience is Audience.STAFF
    hidden = explanation.confidential and not staff
    key_hidden = hidden and reference is not None  # /explain names it, since the reader has it already
    label = provider or explanation.dialect.label
    what = meaning_of(explanation, hidden=hidden)
    fields = [Field(t("What the provider found"), "\n".join(details))] if details else []
    fields += [] if check is None else [check]
    asks_for_it = reference is not None and (explanation.confidential or explanation.fixer in _STAFF)
    for_customers = paragraph(explanation.customer, _QUOTE_IT()) if asks_for_it else explanation.customer
    fields.append(Field(t("What you can do"), explanation.agent if staff else for_customers))
    if staff:
        fields.append(Field(t("What the customer can do"), explanation.customer))
    if fixer := (_FIXERS_FOR_STAFF if staff else _FIXERS_FOR_CUSTOMERS).get(explanation.fixer):
        fields.append(Field(t("Who can fix it"), fixer(), inline=True))
    fields.append(Field(t("Try again"), _when(explanation, retry_after), inline=True))
    if staff and explanation.cause:
        fields.append(Field(t("Why it happens"), explanation.cause))
    if name := error_name(explanation, hidden=key_hidden):
        fields.append(Field(t("Error"), f"{label} · {name}"))
    elif provider and reference is not None:
        fields.append(Field(t("Provider"), label))
    if facts:
        fields.append(Field(t("For staff"), facts))
    title = title_of(explanation, hidden=hidden)
    if reference is None:
        return card(title=f"📖 {title}", description=what, fields=fields)
    return card(
        title=f"⚠️ {title}",
        description=what,
        fields=fields,
        colour=Tone.BAD,
        footer=t("Reference {reference}", reference=reference),
    )


def status_embed(status: StatusExplanation, *, audience: Audience) -> discord.Embed:
    """Return the explanation of a trade's or deposit's status for its reader."""
    staff = audience is Audience.STAFF
    title = status.title if staff else status.customer_title or status.title
    fields = [Field(t("What you can do"), status.agent if staff else status.customer)]
    if staff:
        fields.append(Field(t("What the customer can do"), status.customer))
    if fixer := (_FIXERS_FOR_STAFF if staff else _FIXERS_FOR_CUSTOMERS).get(status.fixer):
        fields.append(Field(t("Who acts next"), fixer(), inline=True))
    fields.append(Field(t("Status"), f"{status.dialect.label} · {status_name(status)}"))
    return card(title=f"📖 {title}", description=ends_or_not(status), fields=fields)


def ends_or_not(status: StatusExplanation) -> str:
    """Return whether a status can still change."""
    return t("It does not change any more.") if status.is_final else t("It can still change.")


def status_name(status: StatusExplanation) -> str:
    """Return what the status is of, and the status as the provider writes it."""
    return _STATUS_KINDS.get(status.kind, _OTHER_STATUS)(status=code(status.word, 40))


def meaning_of(explanation: Explanation, *, hidden: bool) -> str:
    """Return what an error means; a neutral sentence if that is ``hidden`` from the reader."""
    return t("SkinDesk cannot ask the provider right now: it is not set up right.") if hidden else explanation.meaning


def title_of(explanation: Explanation, *, hidden: bool) -> str:
    """Return the title of an error; a neutral one if its meaning is ``hidden`` from the reader."""
    return t("Something is not set up right") if hidden else explanation.title


def error_name(explanation: Explanation, *, hidden: bool = False) -> str:
    """Return the code and key of an error as the provider writes them, or "" if it has neither."""
    if explanation.dialect is Dialect.SKINDESK:
        return ""
    parts = []
    if explanation.code is not None:
        parts.append(t("code {value}", value=code(str(explanation.code), 24)))
    if not hidden and explanation.key and (explanation.known or explanation.key != _UNNAMED):
        parts.append(code(explanation.key, 120))
    return " · ".join(parts)


def _trade_url_check(failure: Failure, explanations: Explanations, *, staff: bool) -> Field | None:
    """Return what AssetPay's check of the trade URL found; nothing for customers if it found nothing wrong."""
    check, found = failure.trade_url_check, status_of_check(failure, explanations)
    if check is None or found is None:
        return None
    (title, status), facts = found, facts_of_check(failure)
    if check.state == NOTHING_WRONG and not (staff or facts):
        return None
    lines = [f"**{title}**", status.agent if staff else status.customer, *facts]
    lines += filter(None, [raw_details(check.details)] if staff else [])
    return Field(t("What AssetPay's check of the trade URL says"), "\n".join(lines))


def _when(explanation: Explanation, retry_after: timedelta | None) -> str:
    wait = retry_after or explanation.repeat_after
    if explanation.repeat is Repeat.NEVER:
        return t("It would end the same way again.")
    if wait is not None:
        return relative(discord.utils.utcnow() + wait)
    if explanation.repeat is Repeat.LATER:
        return t("In a few minutes.")
    return t("Once that is done.")


def failure_facts(failure: Failure) -> str:
    """Return the facts of a failed call, for staff."""
    took = failure.took
    values = {
        "provider": failure.provider.value,
        "kind": failure.kind.value,
        "code": failure.code,
        "key": failure.key,
        "http": failure.http_status,
        "request": failure.request_id,
        "place": failure.place,
        "took": None if took is None else t("{seconds} s", seconds=decimal(took.total_seconds(), 1)),
    }
    facts = [_CALL_FACTS[name](value=code(str(value), 80)) for name, value in values.items() if value is not None]
    lines = [" · ".join(facts)]
    if failure.message and failure.kind is FailureKind.REFUSED:
        lines.append(t("The provider says: {message}", message=outside(failure.message, 300)))
    lines += filter(None, [raw_details(failure.details)])
    return "\n".join(lines)
