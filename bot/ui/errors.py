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
from bot.ports import Explanations
from bot.ui.explain import failure_embed
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import relative

NOT_AGAIN = "It would end the same way again."
ADMINISTRATOR = "An administrator of this server"
_CLEARS_UP = "No one: it clears up on its own"
_MAY_BE_DONE = "A look-up changed nothing. If you were changing something, it may have been done all the same."
_CHECK_FIRST = (
    "After a change check first: a resend's card, `/link status`, `/access list`, `/settings show` and `/audit` show "
    "what was done."
)


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The text of an error: ``who`` can fix it, if not the reader, and when to try ``again``."""

    title: str
    what: str
    step: str
    who: str = ""
    again: str = "Once that is done."
    is_refusal: bool = True


_MESSAGES: dict[type[Exception], ErrorMessage | Callable[[Any, Audience], ErrorMessage]] = {}


def register_messages(
    messages: Mapping[type[Exception], ErrorMessage | Callable[[Any, Audience], ErrorMessage]],
) -> None:
    """Add the messages of exception types and their subclasses; a message can be made from the error."""
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
    fields = [Field("What you can do", message.step), Field("Try again", message.again, inline=True)]
    if message.who:
        fields.insert(1, Field("Who can fix it", message.who, inline=True))
    return card(
        title=("⛔ " if message.is_refusal else "⚠️ ") + message.title,
        description=message.what,
        fields=fields,
        colour=Tone.NEUTRAL if message.is_refusal else Tone.BAD,
        footer=f"Reference {reference}",
    )


INPUT_PROBLEMS = {
    "steam_id": (
        "There is no SteamID in it. A SteamID has 17 digits and begins with 7656.",
        (
            "Give the SteamID, the profile link that has it (steamcommunity.com/profiles/…), `STEAM_0:…`, `[U:1:…]`, "
            "or the trade URL."
        ),
    ),
    "several_accounts": (
        "It names different Steam accounts.",
        "Give only one of them. If you do not know which one is the customer's, ask them.",
    ),
    "custom_address": (
        "That is a profile's own address. It does not have the SteamID in it, and its owner can change it.",
        (
            "Open the link with `?xml=1` at its end: the number behind “steamID64” is the SteamID. Or ask the customer "
            "for their trade URL."
        ),
    ),
    "invitation": (
        "That is an invitation of Steam. It does not have the SteamID in it.",
        "Ask the customer for their SteamID, which Steam shows under “Account details”, or for their trade URL.",
    ),
    "account_number": (
        "That number is too short. A SteamID has 17 digits and begins with 7656.",
        (
            "If it is a friend code, write `[U:1:` before and `]` behind it. If not, ask the customer for their "
            "SteamID or trade URL."
        ),
    ),
    "too_long": ("It is too long.", "Make it shorter."),
    "empty": (
        "There is nothing in it.",
        "Give the number of a trade, of its Steam offer, or of the order in the shop.",
    ),
    "trade_url": ("That is a trade URL, not the number of a trade.", "Give it as `tradeurl` instead."),
    "not_a_number": (
        "It is not one number of a trade.",
        "Give one number without commas, as `/trades`, Steam or the shop shows it.",
    ),
    "other_account": (
        "It belongs to another Steam account than `member` or `steam_id`.",
        "Leave one of the two out, or ask the customer for their own trade URL.",
    ),
    "no_customer": ("It does not name a customer.", "Name a member, or give a SteamID, profile link or trade URL."),
    "no_text": ("There is nothing in it.", "Write what your colleagues should know."),
    "not_a_price": ("A price is a number, 0 or more.", "Give a number, for instance 12.50 or 1,204.50."),
    "above_max_price": ("The lowest price is above the highest one.", "Swap the two, or leave one out."),
    "member_and_steam_id": ("Name a member or a SteamID, not both.", "Leave one of the two out."),
    "is_bot": ("That is a bot. A bot has no Steam account of its own.", "Choose the person whose account it is."),
    "unknown": ("There is no such choice.", "Pick one from the list that Discord shows."),
}
"""The text and the step for each ``InvalidInput.problem``."""


def _invalid_input(error: InvalidInput, _: Audience) -> ErrorMessage:
    if error.problem == "not_linked":
        return ErrorMessage(
            "No Steam account is linked to this member",
            "SkinDesk does not know which Steam account is theirs, so there is nothing to look at.",
            "Link one with `/link set`, or give their SteamID: `/trades steam_id:`.",
            "A member with `links.manage`, or the member themselves",
        )
    what, step = INPUT_PROBLEMS.get(error.problem, ("It cannot be used as it is.", "Change it and ask again."))
    return ErrorMessage(f"`{error.option}` cannot be used like that", what, step)


def _provider_off(error: ProviderOff, _: Audience) -> ErrorMessage:
    off = f"{error.provider.label} is not" if error.provider else "No provider that can do this is"
    return ErrorMessage(
        "Not set up here",
        f"{off} switched on here.",
        "Choose another provider, or ask the staff.",
        "An administrator, in the configuration",
        "With another provider, or when `/status` lists it.",
    )


FAULTS = {
    DatabaseFault.MISSING: "Its database was deleted or moved.",
    DatabaseFault.REPLACED: "Another database is in the place of its own.",
    DatabaseFault.READ_ONLY: "Its database can only be read.",
    DatabaseFault.FULL: "The disk of its database is full.",
    DatabaseFault.DAMAGED: "Its database is damaged.",
    DatabaseFault.UNREADABLE: "The disk of its database reports an error.",
    DatabaseFault.NO_ANSWER: "Its database does not answer in time.",
}
"""What staff read about a fault of the database."""


def _database_unavailable(error: DatabaseUnavailable, audience: Audience) -> ErrorMessage:
    is_staff = audience is Audience.STAFF
    reason = FAULTS[error.fault] if is_staff else "That is not your mistake."
    return ErrorMessage(
        "SkinDesk cannot use its database",
        f"{reason} {_MAY_BE_DONE if error.may_be_done else 'Nothing was changed.'}",
        (f"{_CHECK_FIRST} Then try" if error.may_be_done else "Try")
        + " again in a few minutes. If it stays like that, tell "
        + ("the operator: the log has the fault." if is_staff else "the staff."),
        "The operator of SkinDesk",
        _in_a_minute(),
        is_refusal=False,
    )


def _in_a_minute() -> str:
    return relative(discord.utils.utcnow() + timedelta(minutes=1))


_COMMAND_CHANGED = ErrorMessage(
    "This command has changed",
    "Discord still shows you how it was before an update of SkinDesk. Nothing was done.",
    "Reload Discord (Ctrl+R), or restart the app.",
    again="After that.",
)

register_messages(
    {
        InvalidInput: _invalid_input,
        NotInGuild: ErrorMessage(
            "Only in a server",
            "SkinDesk's commands work in a server, not in direct messages.",
            "Use the command in a channel of the server that you want to ask.",
        ),
        GuildNotServed: ErrorMessage(
            "This desk serves another server",
            "SkinDesk is not there for this server. Nothing was read and nothing was done.",
            "Use SkinDesk in the server of the shop that it belongs to.",
            "The operator of SkinDesk, in its configuration: `discord.guild_ids`",
            "In the other server, now.",
        ),
        GuildNotSeen: lambda *_: ErrorMessage(
            "SkinDesk does not see this server yet",
            "Discord has not told SkinDesk which roles and channels there are. It has just started, or it was invited "
            "without the scope `bot`. Nothing was done.",
            "Try again in a minute. If it stays like that, invite SkinDesk again, with `bot` and "
            "`applications.commands`.",
            "A member who may invite bots here",
            _in_a_minute(),
        ),
        FormUnknown: ErrorMessage(
            "This form is too old",
            "It was opened before an update of SkinDesk. Nothing was done.",
            "Press the button or use the command again, and fill in the new form.",
        ),
        ControlUnknown: ErrorMessage(
            "This button or menu is too old",
            "It was made before an update of SkinDesk, or it does not offer that any more. Nothing was done.",
            "Run the command again, and use the new one.",
            again="Now, with that.",
        ),
        ProviderOff: _provider_off,
        app_commands.TransformerError: ErrorMessage(
            "Not on this server",
            "One of the options names someone or something that is not on this server. Nothing was done.",
            "Choose from the list that Discord shows. For a member who left, use the SteamID: `/trades steam_id:`.",
            again="Now, with that.",
        ),
        app_commands.CommandSignatureMismatch: _COMMAND_CHANGED,
        app_commands.CommandNotFound: _COMMAND_CHANGED,
        DatabaseUnavailable: _database_unavailable,
        DiscordUnavailable: lambda *_: ErrorMessage(
            "Discord has trouble right now",
            f"Discord is overloaded or cannot be reached: that is neither your mistake nor SkinDesk's. {_MAY_BE_DONE}",
            f"{_CHECK_FIRST} Then try again. discordstatus.com says when Discord is well again.",
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        TooOften: lambda error, _: ErrorMessage(
            "Too many times in a row",
            "You have done this several times just now. This time nothing was done.",
            "Use the last answer that you got, or wait.",
            _CLEARS_UP,
            f"{relative(error.until)}.",
        ),
        Overloaded: lambda *_: ErrorMessage(
            "SkinDesk is busy",
            f"Very large inventories were in front of yours, and this was not ready in time. {_MAY_BE_DONE}",
            "Try again in a minute: your place in the queue does not depend on how much others ask for.",
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        ShuttingDown: lambda *_: ErrorMessage(
            "SkinDesk is restarting",
            "Nothing was done.",
            "Ask again in a minute.",
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        Interrupted: lambda *_: ErrorMessage(
            "SkinDesk is restarting",
            f"It stopped before this was finished. {_MAY_BE_DONE}",
            f"{_CHECK_FIRST} Then ask again, in a minute.",
            _CLEARS_UP,
            _in_a_minute(),
            is_refusal=False,
        ),
        Unfinished: lambda *_: ErrorMessage(
            "This was not finished",
            f"It took too long and was cut off. {_MAY_BE_DONE}",
            f"{_CHECK_FIRST} Then try again. If it happens again, tell the staff the reference below.",
            ADMINISTRATOR,
            _in_a_minute(),
            is_refusal=False,
        ),
        SkinDeskError: ErrorMessage(
            "That did not work",
            "Nothing was done.",
            "Try again. If it happens again, tell the staff.",
            ADMINISTRATOR,
            "Now, once.",
        ),
        Exception: lambda *_: ErrorMessage(
            "Something went wrong in SkinDesk",
            "This is our fault, not yours. If you were changing something, check whether it was done.",
            "Try again once. If it happens again, tell the staff the reference below: the log has it too.",
            ADMINISTRATOR,
            _in_a_minute(),
            is_refusal=False,
        ),
    }
)
