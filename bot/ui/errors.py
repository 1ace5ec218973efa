"""Error messages as data. Features register the messages of their own errors; this module renders them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import discord
from discord import app_commands

from bot.domain.errors import (
    ControlUnknown,
    DatabaseUnavailable,
    DiscordUnavailable,
    FormUnknown,
    GuildNotSeen,
    GuildNotServed,
    Interrupted,
    InvalidInput,
    NotInGuild,
    Overloaded,
    ProviderError,
    ProviderOff,
    ShuttingDown,
    SkinDeskError,
    TooOften,
    Unfinished,
)
from bot.domain.health import DatabaseFault
from bot.domain.snapshots import Audience
from bot.languages import Message, paragraph, t
from bot.ports import Explanations
from bot.ui.explain import failure_embed
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import relative

NOT_AGAIN = Message("It would end the same way again.")
_ONCE_DONE = Message("Once that is done.")
ADMINISTRATOR = Message("An administrator of this server")
_CLEARS_UP = Message("No one: it clears up on its own")
_OPERATOR = Message("The operator of SkinDesk")
_MAY_BE_DONE = Message("A look-up changed nothing. If you were changing something, it may have been done.")
_CHECK_FIRST = Message(
    "If you were changing something, check it first. A resend's card, `/link status`, `/access list`, "
    "`/settings show` and `/audit` show what was done."
)


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The text of an error: ``who`` can fix it, if not the reader, and when to try ``again``."""

    title: str | Message
    what: str | Message
    step: str | Message
    who: str | Message = ""
    again: str | Message = _ONCE_DONE
    is_refusal: bool = True


_MESSAGES: dict[type[Exception], ErrorMessage | Callable[[Any, Audience], ErrorMessage]] = {}


def register_messages(
    messages: Mapping[type[Exception], ErrorMessage | Callable[[Any, Audience], ErrorMessage]],
) -> None:
    """Add the messages of exception types and their subclasses, as constants of ``Message``s.

    A message that depends on the error is a function, which is called when the reader's language is current.
    """
    _MESSAGES.update(messages)


def message_of(error: str) -> tuple[bool, ErrorMessage | None]:
    """Return whether SkinDesk expects exceptions with this name, and their message unless it depends on more."""
    found = next((message for kind, message in _MESSAGES.items() if kind.__name__ == error), None)
    return found is not None, found if isinstance(found, ErrorMessage) else None


def error_embed(error: Exception, *, audience: Audience, explanations: Explanations, reference: str) -> discord.Embed:
    """Return the embed for any exception. It shows fields of a SkinDeskError, never an exception's text."""
    if isinstance(error, ProviderError):
        return failure_embed(error.failure, audience=audience, explanations=explanations, reference=reference)
    found = next(_MESSAGES[parent] for parent in type(error).__mro__ if parent in _MESSAGES)
    message = found if isinstance(found, ErrorMessage) else found(error, audience)
    fields = [
        Field(t("What you can do"), str(message.step)),
        Field(t("Try again"), str(message.again), inline=True),
    ]
    if message.who:
        fields.insert(1, Field(t("Who can fix it"), str(message.who), inline=True))
    return card(
        title=heading(message),
        description=str(message.what),
        fields=fields,
        colour=Tone.NEUTRAL if message.is_refusal else Tone.BAD,
        footer=t("Reference {reference}", reference=reference),
    )


def heading(message: ErrorMessage) -> str:
    """Return the title with a sign for a refusal or a fault."""
    return ("⛔ " if message.is_refusal else "⚠️ ") + str(message.title)


INPUT_PROBLEMS = {
    "steam_id": (
        Message("There is no SteamID in it. A SteamID has 17 digits and begins with 7656."),
        Message(
            "Give the SteamID, the profile link that has it (steamcommunity.com/profiles/…), `STEAM_0:…`, `[U:1:…]`, "
            "or the trade URL."
        ),
    ),
    "several_accounts": (
        Message("It names different Steam accounts."),
        Message("Give only one of them. If you do not know which one is the customer's, ask them."),
    ),
    "custom_address": (
        Message("This is a profile's own address. It does not have the SteamID in it, and its owner can change it."),
        Message(
            "Open the link with `?xml=1` at its end: the number behind “steamID64” is the SteamID. Or ask the customer "
            "for their trade URL."
        ),
    ),
    "invitation": (
        Message("This is an invitation link of Steam. It does not have the SteamID in it."),
        Message(
            "Ask the customer for their SteamID, which Steam shows under “Account details”, or for their trade URL."
        ),
    ),
    "account_number": (
        Message("This number is too short. A SteamID has 17 digits and begins with 7656."),
        Message(
            "If it is a friend code, write `[U:1:` before and `]` behind it. If not, ask the customer for their "
            "SteamID or trade URL."
        ),
    ),
    "too_long": (Message("It is too long."), Message("Make it shorter.")),
    "empty": (
        Message("It is empty."),
        Message("Give the number of a trade, of its Steam offer, or of the order in the shop."),
    ),
    "trade_url": (
        Message("This is a trade URL, not the number of a trade."),
        Message("Give it as `tradeurl` instead."),
    ),
    "not_a_number": (
        Message("It is not the number of one trade."),
        Message("Give one number without commas, as `/trades`, Steam or the shop shows it."),
    ),
    "other_account": (
        Message("It belongs to another Steam account than `member` or `steam_id`."),
        Message("Leave one of the two out, or ask the customer for their own trade URL."),
    ),
    "no_customer": (
        Message("It does not name a customer."),
        Message("Name a member, or give a SteamID, profile link or trade URL."),
    ),
    "no_text": (Message("The note is empty."), Message("Write what your colleagues should know.")),
    "not_a_price": (
        Message("A price is a number, 0 or more."),
        # Translators: write these numbers as your language does, and so that they are read back: 1.204,50 or 1 204,50
        Message("Give a number, for instance 12.50 or 1,204.50."),
    ),
    "above_max_price": (
        Message("The lowest price is above the highest one."),
        Message("Swap the two, or leave one out."),
    ),
    "member_and_steam_id": (
        Message("You named both a member and a SteamID."),
        Message("Leave one of the two out."),
    ),
    "is_bot": (
        Message("This is a bot. A bot has no Steam account of its own."),
        Message("Choose the person whose account it is."),
    ),
    "unknown": (Message("There is no such choice."), Message("Choose one from the list that Discord shows.")),
}
"""The text and the step for each ``InvalidInput.problem``."""

_OTHER_PROBLEM = (Message("SkinDesk cannot use it as it is."), Message("Change it and run the command again."))


def _invalid_input(error: InvalidInput, _: Audience) -> ErrorMessage:
    if error.problem == "not_linked":
        return ErrorMessage(
            t("No Steam account is linked to this member"),
            t("SkinDesk does not know which Steam account is theirs, so it looked nothing up."),
            t("Link one with `/link set`, or give their SteamID: `/trades steam_id:`."),
            t("A member with `links.manage`, or the member themselves"),
        )
    what, step = INPUT_PROBLEMS.get(error.problem, _OTHER_PROBLEM)
    # Translators: {option} is the English name of a command's option.
    return ErrorMessage(t("`{option}` cannot be used like that", option=error.option), what, step)


def _provider_off(error: ProviderOff, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        t("Not set up here"),
        t("{provider} is not switched on here.", provider=error.provider.label)
        if error.provider
        else t("No provider that can do this is switched on here."),
        t("Choose another provider, or ask the staff."),
        t("The operator of SkinDesk, in its configuration"),
        t("With another provider, or when `/status` lists this one.")
        if error.provider
        else t("When `/status` lists a provider that can do this."),
    )


FAULTS = {
    DatabaseFault.MISSING: Message("Its database was deleted or moved."),
    DatabaseFault.REPLACED: Message("Another database is in the place of its own."),
    DatabaseFault.READ_ONLY: Message("Its database can only be read."),
    DatabaseFault.FULL: Message("The disk of its database is full."),
    DatabaseFault.DAMAGED: Message("Its database is damaged."),
    DatabaseFault.UNREADABLE: Message("The disk of its database reports an error."),
    DatabaseFault.NO_ANSWER: Message("Its database does not answer in time."),
}
"""What staff read about a fault of the database."""


def _database_unavailable(error: DatabaseUnavailable, audience: Audience) -> ErrorMessage:
    is_staff = audience is Audience.STAFF
    reason = FAULTS[error.fault]() if is_staff else t("This is not your mistake.")
    changed = _MAY_BE_DONE() if error.may_be_done else t("Nothing was changed.")
    again = t("Try again in a few minutes.")
    report = (
        t("If it stays like that, tell the operator: the log has the fault.")
        if is_staff
        else t("If it stays like that, tell the staff.")
    )
    return ErrorMessage(
        t("SkinDesk cannot use its database"),
        paragraph(reason, changed),
        paragraph(_CHECK_FIRST() if error.may_be_done else "", again, report),
        _OPERATOR,
        _in_a_minute(),
        is_refusal=False,
    )


def _in_a_minute() -> str:
    return relative(discord.utils.utcnow() + timedelta(minutes=1))


_COMMAND_CHANGED = ErrorMessage(
    Message("This command has changed"),
    Message("Discord still shows it as it was before an update of SkinDesk. Nothing was done."),
    Message("Reload Discord (Ctrl+R), or restart the app."),
    again=Message("After that."),
)

register_messages(
    {
        InvalidInput: _invalid_input,
        NotInGuild: ErrorMessage(
            Message("Only in a server"),
            Message("SkinDesk's commands work in a server, not in direct messages."),
            Message("Use the command in a channel of the shop's server."),
        ),
        GuildNotServed: ErrorMessage(
            Message("This desk serves another server"),
            Message("SkinDesk is not set up for this server. Nothing was done."),
            Message("Use SkinDesk in the server of the shop that it belongs to."),
            Message("The operator of SkinDesk, in its configuration: `discord.guild_ids`"),
            Message("In the other server, now."),
        ),
        GuildNotSeen: lambda *_: ErrorMessage(
            t("SkinDesk does not see this server yet"),
            t(
                "Discord has not sent SkinDesk the roles and channels of this server. SkinDesk has just started, or it "
                "was invited without the scope `bot`. Nothing was done."
            ),
            t(
                "Try again in a minute. If it stays like that, invite SkinDesk again, with `bot` and "
                "`applications.commands`."
            ),
            t("A member who may invite bots here"),
            _in_a_minute(),
        ),
        FormUnknown: ErrorMessage(
            Message("This form is too old"),
            Message("It was opened before an update of SkinDesk. Nothing was done."),
            Message("Press the button or use the command again, and fill in the new form."),
        ),
        ControlUnknown: ErrorMessage(
            Message("This button or menu is too old"),
            Message("It was made before an update of SkinDesk, or it no longer offers that choice. Nothing was done."),
            Message("Run the command again, and use the new one."),
            again=Message("Now, with the new one."),
        ),
        ProviderOff: _provider_off,
        app_commands.TransformerError: ErrorMessage(
            Message("Not on this server"),
            Message("One of the options names a member, role or channel that is not on this server. Nothing was done."),
            Message(
                "Choose from the list that Discord shows. For a member who left, use the SteamID: `/trades steam_id:`."
            ),
            again=Message("Now, with another choice."),
        ),
        app_commands.CommandSignatureMismatch: _COMMAND_CHANGED,
        app_commands.CommandNotFound: _COMMAND_CHANGED,
        DatabaseUnavailable: _database_unavailable,
        DiscordUnavailable: lambda *_: ErrorMessage(
            t("Discord has trouble right now"),
            paragraph(t("Discord is overloaded or cannot be reached. This is not your mistake."), _MAY_BE_DONE()),
            paragraph(_CHECK_FIRST(), t("Then try again. discordstatus.com shows when Discord works again.")),
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        TooOften: lambda error, _: ErrorMessage(
            t("Too many times in a row"),
            t("You have done this several times just now. This time nothing was done."),
            t("Use the last answer that you got, or wait."),
            _CLEARS_UP,
            relative(error.until),
        ),
        Overloaded: lambda *_: ErrorMessage(
            t("SkinDesk is busy"),
            paragraph(
                t("Other people asked for very large inventories, so this was not ready in time."), _MAY_BE_DONE()
            ),
            t("Try again in a minute."),
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        ShuttingDown: lambda *_: ErrorMessage(
            t("SkinDesk is restarting"),
            t("Nothing was done."),
            t("Try again in a minute."),
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        Interrupted: lambda *_: ErrorMessage(
            t("SkinDesk is restarting"),
            paragraph(t("It stopped before this was finished."), _MAY_BE_DONE()),
            paragraph(_CHECK_FIRST(), t("Then try again in a minute.")),
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        Unfinished: lambda *_: ErrorMessage(
            t("This was not finished"),
            paragraph(t("It took too long, so SkinDesk stopped it."), _MAY_BE_DONE()),
            paragraph(_CHECK_FIRST(), t("Then try again. If it happens again, tell the staff the reference below.")),
            ADMINISTRATOR,
            _in_a_minute(),
            is_refusal=False,
        ),
        SkinDeskError: ErrorMessage(
            Message("That did not work"),
            Message("Nothing was done."),
            Message("Try again. If it happens again, tell the staff."),
            ADMINISTRATOR,
            Message("Now, once."),
        ),
        Exception: lambda *_: ErrorMessage(
            t("Something went wrong in SkinDesk"),
            t("This is SkinDesk's mistake, not yours. If you were changing something, check whether it was done."),
            t("Try again once. If it happens again, tell the staff the reference below."),
            ADMINISTRATOR,
            _in_a_minute(),
            is_refusal=False,
        ),
    }
)
