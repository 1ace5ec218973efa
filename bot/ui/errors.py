"""Every sentence about what went wrong: what happened, what to do, who can do it, when to try again."""

import re
from dataclasses import dataclass
from datetime import timedelta

import discord
from discord import app_commands

from bot.domain.access import Capability
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    ApprovalsChannelMissing,
    ApprovalsChannelUnusable,
    CardOutdated,
    FormUnknown,
    GameNotOffered,
    Interrupted,
    InvalidInput,
    LinkTooNew,
    MayNotDecide,
    NotInGuild,
    NotLinked,
    NotResendable,
    NotYourPage,
    PageExpired,
    PauseOutdated,
    ProviderError,
    ProviderOff,
    QueryExpired,
    ResendAlreadyOpen,
    ResendNotFound,
    ResendsPaused,
    ShuttingDown,
    SignInOff,
    SkinDeskError,
    SteamAccountTaken,
    TooManyResends,
    TooSoon,
    TradeChanged,
    TradeNotFound,
    TradeUrlRejected,
    Unfinished,
)
from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, Fixer, Repeat
from bot.domain.masking import mask_trade_urls
from bot.domain.resends import OPENED_AT_MOST, ApproverRefusal
from bot.domain.snapshots import Audience, PageTooFresh
from bot.domain.trades import NotResendableReason
from bot.ports import Explanations
from bot.services.links import NO_ACCOUNT
from bot.ui.access.messages import WHAT
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, outside, relative
from bot.ui.links.messages import STAFF_CAN_ASK
from bot.ui.links.trade_url_messages import TRADE_URL_WORDS
from bot.ui.resends.messages import FACT_LABELS, RESUME, pause_sentences, state_sentence

_UNNAMED = "unknown"
"""The key of what no documentation knows and the provider gave none to: it is nothing that a provider writes."""

_QUOTE_IT = re.compile(r", quote the reference,| and quote the reference")
"""How the catalogue asks customers for the reference."""


_INPUT_WORDS = {
    "steam_id": (
        "A SteamID has 17 digits and begins with 7656.",
        "Give the SteamID, or the trade URL instead: it holds the account too.",
    ),
    "too_long": ("It is too long.", "Make it shorter."),
    "not_a_price": ("A price is a number in US dollars, 0 or more.", "Give a number, for instance 12.50."),
    "above_max_price": ("The lowest price is above the highest one.", "Swap the two, or leave one out."),
    "member_and_steam_id": ("Name a member or a SteamID, not both.", "Leave one of the two out."),
    "unknown": ("There is no such choice.", "Pick one from the list that Discord shows."),
}
"""What is wrong with an option's value, and what to do about it."""

_STEPS_WITHOUT = {
    Capability.INVENTORY_ANY: (
        "Look at your own inventory: use the trade URL of the Steam account that `/link status` shows. "
        "If you meant somebody else's, ask a support agent."
    ),
    Capability.TRADES_ANY: "Use `/trades` alone: it shows your own. For somebody else's ask a support agent.",
    Capability.INVENTORY_OWN: "Ask a support agent to look your inventory up for you.",
    Capability.TRADES_OWN: "Ask a support agent where your trade stands, and tell them its number.",
    Capability.RESEND_OWN: "Ask a support agent to request the resend, and tell them the trade's number.",
    Capability.RESEND_ANY: "Ask a support agent to request the resend, and tell them the trade's number.",
    Capability.APPROVE_RESEND: "Nothing: the moderators were asked, and whoever asked is told how it ends.",
    Capability.MANAGE_LINKS: "Ask a support agent to link the account. Your own link: `/link status`.",
}
"""What somebody can do all the same who lacks a capability."""

_FIXERS_FOR_CUSTOMERS = {
    Fixer.CUSTOMER: "You",
    Fixer.AGENT: "A support agent",
    Fixer.ADMINISTRATOR: "The staff of this desk",
    Fixer.PROVIDER: "The provider",
    Fixer.TIME: "Nobody needs to: it passes by itself",
}
_FIXERS_FOR_STAFF = {
    Fixer.CUSTOMER: "The customer",
    Fixer.AGENT: "You, the agent",
    Fixer.ADMINISTRATOR: "An administrator of this desk",
    Fixer.PROVIDER: "The provider",
    Fixer.TIME: "Nobody needs to: it passes by itself",
}


_MAY_BE_DONE = "A look-up changed nothing. If you were changing something, it may have been done all the same."

_LOOK_FIRST = (
    "After a change look first: a resend's card, `/link status`, `/access list`, `/settings show` and `/audit` show "
    "what was done."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What happened, what the reader can do, who can fix it, and when to try again. Safe to show as they are."""

    title: str
    what: str
    step: str
    who: str = "You"
    again: str = "Once that is done."
    is_refusal: bool = True


def error_embed(error: Exception, *, audience: Audience, explanations: Explanations, reference: str) -> discord.Embed:
    """Return the embed for any exception. Only a SkinDeskError's facts are shown, never an exception's text."""
    if isinstance(error, ProviderError):
        return failure_embed(error.failure, audience=audience, explanations=explanations, reference=reference)
    words = _words(error, audience)
    return card(
        title=("⛔ " if words.is_refusal else "⚠️ ") + words.title,
        description=words.what,
        fields=[
            Field("What you can do", words.step),
            Field("Who can fix it", words.who, inline=True),
            Field("Try again", words.again, inline=True),
        ],
        colour=Tone.NEUTRAL if words.is_refusal else Tone.BAD,
        footer=f"Reference {reference}",
    )


def failure_embed(failure: Failure, *, audience: Audience, explanations: Explanations, reference: str) -> discord.Embed:
    """Return the embed for a provider's failure: its explanation, and for staff the facts behind it."""
    return explanation_embed(
        explanations.explain(failure),
        audience=audience,
        provider=failure.provider.label,
        retry_after=failure.retry_after,
        behind=_facts(failure) if audience is Audience.STAFF else "",
        reference=reference,
    )


def explanation_embed(
    explanation: Explanation,
    *,
    audience: Audience,
    provider: str | None = None,
    retry_after: timedelta | None = None,
    behind: str = "",
    reference: str | None = None,
) -> discord.Embed:
    """Return an explanation in words for its reader. A confidential one keeps its key and meaning from customers.

    With a ``reference`` it is an error that just happened, and ``behind`` are the facts of the failed call, for
    staff; without, it is only explained.
    """
    staff = audience is Audience.STAFF
    hidden = explanation.confidential and not staff
    label = provider or DIALECT_LABELS[explanation.dialect]
    what = "The desk cannot ask the provider right now because of its own set-up." if hidden else explanation.meaning
    for_customers = explanation.customer if reference is not None else without_reference(explanation.customer)
    # What to do comes first: whoever reads this wants to go on.
    fields = [Field("What you can do", explanation.agent if staff else for_customers)]
    if staff:
        fields.append(Field("What the customer can do", for_customers))
    fixers = _FIXERS_FOR_STAFF if staff else _FIXERS_FOR_CUSTOMERS
    fields.append(Field("Who can fix it", fixers[explanation.fixer], inline=True))
    fields.append(Field("Try again", _when(explanation, retry_after), inline=True))
    if staff and explanation.cause:
        fields.append(Field("Why it happens", explanation.cause))
    if name := error_name(explanation, hidden=hidden):
        fields.append(Field("Error", f"{label} · {name}"))
    elif provider and reference is not None:
        fields.append(Field("Provider", label))
    if behind:
        fields.append(Field("For staff", behind))
    title = title_of(explanation, hidden=hidden)
    if reference is None:
        return card(title=f"📖 {title}", description=what, fields=fields)
    return card(title=f"⚠️ {title}", description=what, fields=fields, colour=Tone.BAD, footer=f"Reference {reference}")


def without_reference(step: str) -> str:
    """Return a customer's step without asking for the reference, where it stands under no error that has one."""
    return _QUOTE_IT.sub("", step)


DIALECT_LABELS = {
    Dialect.ASSETPAY: "AssetPay (.gg)",
    Dialect.ASSETPAY_LEGACY: "AssetPay (.co)",
    Dialect.SKINSBACK: "SkinsBack",
    Dialect.MANNCO: "Mannco.store",
    Dialect.STEAM: "Steam",
    Dialect.SKINDESK: "SkinDesk",
}
"""Whose numbering an error belongs to, in words."""


def title_of(explanation: Explanation, *, hidden: bool) -> str:
    """Return what an error is called; nothing of it where its meaning is ``hidden`` from the reader."""
    return "Something is not set up right" if hidden else explanation.title


def error_name(explanation: Explanation, *, hidden: bool = False) -> str:
    """Return code and key of an error as the provider writes them, or nothing where there are none."""
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
        return "The same again would end the same way."
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
        ("took", _seconds(failure.took)),
    ):
        if value is not None:
            facts.append(f"{name} {code(str(value), 80)}")
    lines = [" · ".join(facts)]
    if failure.message and failure.kind is FailureKind.REFUSED:
        lines.append(f"The provider says: {outside(failure.message, 300)}")
    return "\n".join(lines)


def _seconds(took: timedelta | None) -> str | None:
    return None if took is None else f"{took.total_seconds():.1f} s"


def _words(error: Exception, audience: Audience) -> Words:  # noqa: C901, PLR0911, PLR0912 -- one line of words for each kind of error
    match error:
        case TradeUrlRejected():
            what, step = TRADE_URL_WORDS[error.trade_url_problem]
            return Words("That is not a trade URL", what, step)
        case InvalidInput(problem="not_linked"):
            return Words(
                "No Steam account is linked to this member",
                "SkinDesk does not know which Steam account is theirs, so there is nothing to look at.",
                "Link one with `/link set`, or give their SteamID: `/trades steam_id:`.",
                "Whoever holds `links.manage`, or the member",
            )
        case InvalidInput():
            what, step = _INPUT_WORDS.get(error.problem, ("It cannot be used as it is.", "Change it and ask again."))
            return Words(f"`{error.option}` cannot be used like that", what, step)
        case AccessDenied():
            what = WHAT[error.capability].replace("one's", "your")
            return Words(
                "You may not do that",
                f"Nothing was done: none of your roles lets you {what} (`{error.capability.value}`).",
                _STEPS_WITHOUT.get(error.capability, "Ask the staff for it, or let somebody do it who has it."),
                "Somebody with `access.manage`: `/access grant` gives it to one of your roles",
                "As soon as one of your roles has it.",
            )
        case NotInGuild():
            return Words(
                "Only in a server",
                "SkinDesk's commands work in a server, not in direct messages.",
                "Use the command in a channel of the server whose desk you want to ask.",
            )
        case NotLinked():
            return Words(
                "No Steam account is linked to you",
                "You may see and do this for your own Steam account, but SkinDesk does not know yet which one it is.",
                "Use `/link start`, or ask a support agent here: tell them your SteamID or trade URL in private.",
                "A support agent with `links.manage`, with `/link set`",
                "As soon as `/link status` shows your account.",
            )
        case SteamAccountTaken():
            return Words(
                "This Steam account is linked already",
                f"It belongs to <@{error.user_id}> on this server. One Steam account belongs to one member.",
                "Find out whose it is. If the link is wrong, its holder removes it with `/link remove`. Where they "
                f"cannot, for instance because they left, end it with `/link set member:{error.user_id} "
                f"steam:{NO_ACCOUNT}`.",
                "Whoever holds the link now, or somebody with `links.manage`",
                "Once the link is ended.",
            )
        case LinkTooNew():
            return Words(
                "Your Steam account is linked too newly",
                "You, or this account, were linked differently not long ago. Until the wait is over you cannot ask for "
                "resends of your own trades, so that nobody profits from an account they took over. Nothing was asked.",
                f"Ask again {relative(error.until)}.",
                STAFF_CAN_ASK,
            )
        case SignInOff():
            return Words(
                "Steam sign-in is not set up here",
                "The staff links accounts by hand. Nothing was done.",
                "Ask a support agent here to link yours, and tell them your SteamID or trade URL in private.",
                "A support agent with `links.manage`, with `/link set`",
            )
        case TradeNotFound():
            return Words(
                "No such trade",
                f"There is no trade {code(mask_trade_urls(error.trade_id), 40)} among those you may have resent.",
                "Check the number: `/trades scope:all` shows it. Only the newest 500 trades are listed.",
                again="With the right number.",
            )
        case ResendNotFound():
            return Words(
                "No such request",
                "This resend request does not exist on this server.",
                "Look at what waits with `/approvals`.",
                again="With a request that is there.",
            )
        case PageExpired() | NotYourPage():
            # One text for both: whether somebody else's pages exist is nobody's business.
            return Words(
                "No such pages",
                "They are no longer kept, or somebody else asked for them.",
                "Use the command again for a fresh answer.",
                again="Now.",
            )
        case QueryExpired():
            return Words(
                "Use the command again",
                "SkinDesk no longer has the trade URL these pages were asked with: it keeps none over a restart, and "
                "not for long. They can be turned, sorted and filtered, but not refreshed.",
                "Use `/inventory` with the trade URL once more.",
            )
        case FormUnknown():
            return Words(
                "This form is too old",
                "It was opened before an update of SkinDesk. Nothing was done.",
                "Press the button or use the command again, and fill the form in anew.",
            )
        case ProviderOff():
            off = f"{error.provider.label} is not" if error.provider else "No provider that can do this is"
            return Words(
                "Not set up here",
                f"{off} switched on at this desk.",
                "Choose another provider, or ask the staff.",
                "An administrator, in the configuration",
                "With another provider, or when `/status` lists it.",
            )
        case GameNotOffered():
            return Words(
                "Not this game",
                f"{error.provider.label} does not have {error.game.label}. Nothing was asked.",
                "Choose another provider or another game.",
                again="Now, with that.",
            )
        case NotResendable():
            return _not_resendable_words(error)
        case ResendAlreadyOpen():
            where = f"as request {error.resend.id}, {state_sentence(error.resend)}" if error.resend else "elsewhere"
            return Words(
                "Already asked for",
                f"A resend of trade {error.trade_id} is open {where}",
                "Wait for the decision: whoever asked is told.",
                "A moderator with `resend.approve`",
                "After it is decided, if the trade needs it then.",
            )
        case TooManyResends():
            return Words(
                "Enough for today",
                f"You have asked for {OPENED_AT_MOST} resends within a day, which is as many as you may. "
                "Nothing was asked and nothing was sent.",
                "Wait, or let the staff ask for you. If so many of your trades fail, tell them anyway.",
                "Somebody with `resend.any` can ask for you",
                f"{relative(error.until)}.",
            )
        case ResendsPaused():
            why, _ = pause_sentences(error.pause)
            step = "Wait until they are resumed. A request can still be denied, and a doubt settled."
            if audience is Audience.CUSTOMER:
                why = f"The staff does not let anything be sent again for now, since {relative(error.pause.at)}."
                step = "Wait, and ask again later. Your trade and its items stay as they are."
            return Words(
                "Resends are stopped",
                f"{why} Nothing was asked and nothing was sent.",
                step,
                RESUME,
                "Once they are resumed.",
            )
        case AlreadyDecided():
            return Words(
                "Already decided",
                f"Request {error.resend.id}: {state_sentence(error.resend)}",
                "Nothing more: one decision counts. If the trade failed again, `/resend` opens a new request.",
                again="The same again would end the same way.",
            )
        case TradeChanged():
            changed = ", ".join(FACT_LABELS[name] for name in error.differences)
            return Words(
                "The trade has changed",
                f"Since the card was posted this has changed: {changed}. Nothing was sent.",
                "Look at the card again, which now shows the trade as it is, and decide anew.",
                again="Now.",
            )
        case CardOutdated():
            return _card_outdated_words(error)
        case PauseOutdated():
            why, _ = pause_sentences(error.pause)
            return Words(
                "Not the stop you were shown",
                f"{why} The button you pressed was not shown for this stop. Nothing was resumed.",
                "Use `/approvals` again, read why resends are stopped, and decide with the button there.",
            )
        case MayNotDecide():
            reason = {
                ApproverRefusal.REQUESTER: "You asked for this resend yourself.",
                ApproverRefusal.OWNER: "This trade is your own.",
            }[error.reason]
            return Words(
                "Somebody else has to decide",
                f"{reason} A resend is approved by a second person.",
                "Leave it to another moderator: the card is there for all of them.",
                "Anybody else with `resend.approve`",
                "The same again would end the same way.",
            )
        case ApprovalsChannelMissing():
            return Words(
                "No approvals channel yet",
                "A resend needs a moderator's approval, and there is no channel to ask in. Nothing was asked.",
                "Tell the staff.",
                "Somebody with `settings.manage`: `/settings approvals-channel`",
                "Once the channel is set.",
            )
        case ApprovalsChannelUnusable():
            return Words(
                "The approvals channel cannot be used",
                "It is gone, or SkinDesk may not post there. Nothing was asked and nothing was sent.",
                "Tell the staff.",
                "An administrator: let SkinDesk *View Channel*, *Send Messages* and *Embed Links* there, "
                "or set another one with `/settings approvals-channel`",
                "Once the channel works.",
            )
        case app_commands.TransformerError():
            return Words(
                "Not on this server",
                "One of the options names somebody or something that is not on this server. Nothing was done.",
                "Choose from the list that Discord shows. For somebody who left, use the SteamID: `/trades steam_id:`.",
                again="Now, with that.",
            )
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return Words(
                "This command has changed",
                "Discord still shows you how it was before an update of SkinDesk. Nothing was done.",
                "Reload Discord (Ctrl+R), or restart the app.",
                again="After that.",
            )
        case PageTooFresh():
            return Words(
                "Refreshed a moment ago",
                "What you see is the newest there is: asking again so soon would only burden Steam.",
                f"Press *Refresh* again {relative(error.until)}.",
            )
        case TooSoon():
            return Words(
                "Refreshed a moment ago",
                "The provider has just read this inventory from Steam; asking again so soon would only burden Steam.",
                "Ask without `refresh` now, or wait.",
                again=f"With `refresh`: {relative(error.until)}.",
            )
        case ShuttingDown():
            return Words(
                "SkinDesk is restarting",
                "Nothing was done.",
                "Ask again in a minute.",
                "Nobody needs to: it passes by itself",
                _in_a_minute(),
                is_refusal=False,
            )
        case Interrupted():
            return Words(
                "SkinDesk is restarting",
                f"It stopped before this was finished. {_MAY_BE_DONE}",
                f"{_LOOK_FIRST} Then ask again, in a minute.",
                "Nobody needs to: it passes by itself",
                _in_a_minute(),
                is_refusal=False,
            )
        case Unfinished():
            return Words(
                "This was not finished",
                f"It took too long and was cut off. {_MAY_BE_DONE}",
                f"{_LOOK_FIRST} Then try again. If it stays so, tell the staff the reference below.",
                "An administrator of this desk",
                _in_a_minute(),
                is_refusal=False,
            )
        case SkinDeskError():
            return Words(
                "That did not work",
                "Nothing was done.",
                "Try again, and tell the staff if it stays so.",
                "An administrator of this desk",
                "Now, once.",
            )
        case _:
            return Words(
                "Something went wrong in SkinDesk",
                "This is a fault of ours, not of yours. If you were changing something, look whether it was done.",
                "Try again once. If it stays so, tell the staff the reference below: the log has it too.",
                "An administrator of this desk",
                _in_a_minute(),
                is_refusal=False,
            )


def _card_outdated_words(error: CardOutdated) -> Words:
    what = f"The card you pressed did not show request {error.resend.id} as it is now. Nothing was sent."
    if error.resend.is_shown:
        return Words(
            "The card was out of date",
            what,
            "Look at the request's newest card, which shows the trade as it is, and decide anew. "
            "`/approvals` links to it.",
        )
    return Words(
        "The card is out of date",
        f"{what} Discord did not take the newest version of the card.",
        f"SkinDesk keeps trying. Decide once the card's last line says version {error.resend.version}.",
    )


def _not_resendable_words(error: NotResendable) -> Words:
    if error.reason is NotResendableReason.NOTHING_TO_SEND:
        return Words(
            "Nothing to resend",
            f"Trade {error.trade.id} sends no items out: it is a deposit, not a withdrawal.",
            "Start the deposit anew on the site.",
            again="The same again would end the same way.",
        )
    return Words(
        "This trade cannot be resent",
        f"Trade {error.trade.id} has neither failed nor been cancelled: its status is {error.trade.status}. "
        "Mannco.store sends only failed and cancelled trades again (status -1, 4, 5, 6, 7 or 10).",
        "Look at where it stands, and who acts next, with `/trades scope:all`.",
        again="If it fails or is cancelled later.",
    )


def _in_a_minute() -> str:
    return relative(discord.utils.utcnow() + timedelta(minutes=1))
