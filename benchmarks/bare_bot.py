"""The reference: a bare discord.py bot that defers and then answers with SkinDesk's embeds and components.

It reads ``answers.json`` from its working directory: the embed and components of each command, and the addresses
that ``lookup`` and ``trades`` request first, through plain httpx.
"""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any, Self

import discord
import httpx
from discord import app_commands

_BUTTON = 2


class Press(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"bare:(?P<number>\d+)"):
    """A button that turns the page."""

    def __init__(self, number: int, component: dict[str, Any]) -> None:
        super().__init__(
            discord.ui.Button(
                label=component.get("label"),
                style=discord.ButtonStyle(component.get("style", _BUTTON)),
                disabled=component.get("disabled", False),
                custom_id=f"bare:{number}",
                row=component.get("row"),
            )
        )

    @classmethod
    async def from_custom_id(cls, _interaction: Any, _item: Any, match: re.Match[str], /) -> Self:
        return cls(int(match["number"]), {"label": "x"})

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        embed, view = interaction.client.shown("page")
        await interaction.edit_original_response(embed=embed, view=view)


class Choose(discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"bare:menu:(?P<number>\d+)"):
    """A menu that is only shown."""

    def __init__(self, number: int, component: dict[str, Any]) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder=component.get("placeholder"),
                options=[discord.SelectOption.from_dict(option) for option in component["options"]],
                custom_id=f"bare:menu:{number}",
                row=component.get("row"),
            )
        )


def view_of(rows: list[dict[str, Any]]) -> discord.ui.View | None:
    """Return a view with the same buttons and menus."""
    if not rows:
        return None
    view = discord.ui.View(timeout=None)
    number = 0
    for place, row in enumerate(rows):
        for component in row["components"]:
            kind = Press if component["type"] == _BUTTON else Choose
            view.add_item(kind(number, component | {"row": place}))
            number += 1
    return view


class BareBot(discord.Client):
    """Gives the answers of answers.json."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.tree = app_commands.CommandTree(self)
        self.answers: dict[str, Any] = json.loads(Path("answers.json").read_text(encoding="utf-8"))
        self.http_client = httpx.AsyncClient()

    def shown(self, name: str) -> tuple[discord.Embed, discord.ui.View | None]:
        answer = self.answers[name]
        return discord.Embed.from_dict(answer["embed"]), view_of(answer["components"])

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Press, Choose)
        add_commands(self)
        await self.tree.sync()


async def answered(bot: BareBot, interaction: discord.Interaction, name: str) -> None:
    embed, view = bot.shown(name)
    await interaction.edit_original_response(embed=embed, view=view)


def add_commands(bot: BareBot) -> None:
    @bot.tree.command(description="An inventory")
    async def inventory(interaction: discord.Interaction, tradeurl: str) -> None:
        del tradeurl
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answered(bot, interaction, "inventory")

    @bot.tree.command(description="An inventory that is asked for")
    async def lookup(interaction: discord.Interaction, tradeurl: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        answer = await bot.http_client.get(
            bot.answers["lookup"], params={"tradeUrl": tradeurl, "game": "730", "page": "1", "limit": "-1"}
        )
        answer.json()
        await answered(bot, interaction, "inventory")

    @bot.tree.command(description="Trades")
    async def trades(interaction: discord.Interaction, scope: str) -> None:
        del scope
        await interaction.response.defer(ephemeral=True, thinking=True)
        answer = await bot.http_client.get(bot.answers["list"], headers=bot.answers["list_headers"])
        answer.json()
        await answered(bot, interaction, "trades")

    access = app_commands.Group(name="access", description="A group")

    @access.command(name="list", description="A refusal")
    async def refused(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await answered(bot, interaction, "refused")

    bot.tree.add_command(access)


async def main() -> None:
    async with BareBot() as bot:
        await bot.start(os.environ["SKINDESK_DISCORD__TOKEN"])


if __name__ == "__main__":
    asyncio.run(main())
