"""The reference: a bare discord.py bot that defers and edits in the same embeds and buttons that SkinDesk showed.

It reads ``answers.json`` from its working directory: for each command the embed and the custom ids to answer with, and
for ``lookup`` the address to ask first, through httpx as it is installed. Run by the benchmarks as a process.
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

_BUTTONS = ("First", "Previous", "Next", "Last")


class Turn(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"bare:(?P<number>\d+)"):
    """A button that turns the page."""

    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label=_BUTTONS[number % 4], custom_id=f"bare:{number}"))

    @classmethod
    async def from_custom_id(cls, _interaction: Any, _item: Any, match: re.Match[str], /) -> Self:
        return cls(int(match["number"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(embed=interaction.client.embed("page"), view=page_view())


def page_view() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for number in range(4):
        view.add_item(Turn(number))
    return view


class BareBot(discord.Client):
    """Answers what it was told to answer."""

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

    def embed(self, name: str) -> discord.Embed:
        return discord.Embed.from_dict(self.answers[name])

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Turn)
        add_commands(self)
        await self.tree.sync()


def add_commands(bot: BareBot) -> None:
    @bot.tree.command(description="An inventory")
    async def inventory(interaction: discord.Interaction, tradeurl: str) -> None:
        del tradeurl
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(embed=bot.embed("inventory"), view=page_view())

    @bot.tree.command(description="An inventory that is asked for")
    async def lookup(interaction: discord.Interaction, tradeurl: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        answer = await bot.http_client.get(bot.answers["lookup"], params={"tradeUrl": tradeurl, "limit": "-1"})
        answer.json()
        await interaction.edit_original_response(embed=bot.embed("inventory"), view=page_view())

    @bot.tree.command(description="Trades")
    async def trades(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(embed=bot.embed("trades"), view=page_view())

    @bot.tree.command(description="A refusal")
    async def refused(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(embed=bot.embed("refused"))


async def main() -> None:
    async with BareBot() as bot:
        await bot.start(os.environ["SKINDESK_DISCORD__TOKEN"])


if __name__ == "__main__":
    asyncio.run(main())
