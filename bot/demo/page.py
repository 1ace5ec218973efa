"""The demo's page: its people and things to try."""

from __future__ import annotations

from typing import NamedTuple

import discord
import simcord

from bot.demo.scene import Scene

_COLOUR = 0x3B6EA5


class Part(NamedTuple):
    """A person on the page, and command lines to paste, each with what it shows."""

    who: str
    lines: tuple[tuple[str, str], ...]


def administrator(scene: Scene) -> simcord.MemberActor:
    """Add a member with Discord's Administrator permission, who may always give rights."""
    role = scene.guild.create_role("Administrators", permissions=discord.Permissions(administrator=True))
    return scene.guild.add_member(scene.env.create_user("kim", global_name="Kim (administrator)"), roles=[role])


def suggestions(scene: Scene) -> tuple[Part, ...]:
    """Return what each person can try, in the order of a day at the desk."""
    world = scene.world
    expired = world.trades_of(world.customer)[2].id
    return (
        Part(
            "Mia, a customer: her own trades and items",
            (
                ("/trades", "where her trades stand"),
                (f"/trades reference:{world.held_deposit.shop_reference}", "where is my order?"),
                (f"/resend id:{expired} reason:I was away", "asks the moderators to send an expired offer again"),
                (f"/inventory tradeurl:{world.customer.trade_url}", "what her items bring"),
            ),
        ),
        Part(
            "Robin, a moderator: decides on the card that appears here",
            (("/approvals", "the queue of open requests"), ("/status", "do the providers work?")),
        ),
        Part(
            "Alex, a support agent: everyone's trades and items",
            (
                ("/customer member:@mia", "one screen about a customer"),
                (f"/trades reference:{world.others_deposit.order_id}", "any customer's deposit"),
                (f"/inventory tradeurl:{world.private.trade_url}", "a private inventory"),
                (f"/inventory tradeurl:{world.error_trade_url(1010)}", "error 1010; E and a number for any other"),
                ("/link start", "be anyone at a made-up Steam"),
            ),
        ),
        Part(
            "Kim, an administrator: rights and channels",
            (
                ("/access list", "which role may do what"),
                ("/access why member:@alex capability:resend.approve", "why a member may not"),
                ("/settings show", "where cards and audit posts go"),
            ),
        ),
        Part("Anyone", (("/explain code:7", "what an error means"), ("/mydata export", "what is stored about you"))),
    )


def welcome(scene: Scene) -> list[discord.Embed]:
    """Return the embeds of the first message on the page."""
    first = discord.Embed(
        title="SkinDesk demo",
        description=(
            "Choose above who you are. Then press one of these lines and send it, or type `/` below.\n"
            "This page has no *Apps* menu. On Discord *Show trades* is in a member's, "
            "*Explain error codes* in a message's."
        ),
        colour=_COLOUR,
    )
    return [first, *map(_embed, suggestions(scene))]


def _embed(part: Part) -> discord.Embed:
    lines = "\n".join(f"{what}\n```\n{line}\n```" for line, what in part.lines)
    return discord.Embed(title=part.who, description=lines, colour=_COLOUR)


def for_terminal(scene: Scene, url: str) -> str:
    """Return the page's address and the suggestions as plain text."""
    parts = "\n".join(
        f"  {part.who}\n" + "".join(f"    {line}\n" for line, _ in part.lines) for part in suggestions(scene)
    )
    return (
        "\nSkinDesk demo: the real bot, simulated providers, no Discord and no account needed.\n\n"
        f"  Open    {url}\n\n"
        f"Choose on the page who you are, and paste a line:\n\n{parts}\n"
        "Ctrl+C ends it. Nothing is kept.\n"
    )
