"""What Discord shows of a Steam sign-in: the way to its page, and how it ended."""

import discord

from bot.domain.links import Link, LinkSource
from bot.services.sign_in import StartedSignIn
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import relative

STAFF_CAN_ASK = "Somebody with `resend.any` can ask for them before"


def start_embed(started: StartedSignIn) -> discord.Embed:
    """Return what stands above the button that leads to the page."""
    return card(
        title="Link your Steam account",
        description=(
            "The button opens SkinDesk’s page in your browser; from there you sign in at Steam. "
            "SkinDesk learns your SteamID and nothing else.\n\n"
            f"It works once, and ends {relative(started.expires_at)}. **Give the address to nobody, and open none that "
            "somebody sent you:** it links whoever signs in there to whoever asked for it."
        ),
        colour=Tone.NEUTRAL,
    )


def start_view(started: StartedSignIn) -> discord.ui.View:
    """Return the button. Discord itself opens it: there is nothing for SkinDesk to answer."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Open the page", url=started.address.reveal()))
    return view


def used_embed() -> discord.Embed:
    """Return what takes the place of the button once it is used."""
    return card(title="Link your Steam account", description="This sign-in is done.", colour=Tone.NEUTRAL)


def signed_in_embed(link: Link) -> discord.Embed:
    """Return what the user is told when they have signed in."""
    return card(
        title="✅ Your Steam account is linked",
        description=(f"SteamID `{link.steam_id}` is yours on this server from now on.\n{wait_sentence(link)}".strip()),
        colour=Tone.GOOD,
    )


def wait_sentence(link: Link, *, whose: str = "your own") -> str:
    """Return from when own resends count; nothing where they count at once. Whether they do yet, Discord shows."""
    if link.resends_from is None:
        return ""
    return f"⏳ Resends of {whose} trades can be asked for {relative(link.resends_from)}. {STAFF_CAN_ASK}."


def origin(link: Link) -> str:
    """Return how a link came about."""
    if link.source is LinkSource.SIGN_IN:
        return f"by signing in through Steam {relative(link.linked_at)}"
    return f"set by the staff: <@{link.linked_by}> {relative(link.linked_at)}"
