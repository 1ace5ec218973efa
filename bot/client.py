"""The Discord client: the least intents, no mentions, extensions by name, commands synced at start."""

import logging
from collections.abc import Sequence
from typing import Any

import discord
from discord.ext import commands

from bot.domain.errors import Interrupted
from bot.services.desk import Desk
from bot.ui.cards import DiscordResendCards
from bot.ui.funnel import report
from bot.ui.halt_buttons import HaltButton
from bot.ui.in_flight import InFlight
from bot.ui.pager import PageButton
from bot.ui.resend_buttons import ResendButton
from bot.ui.rights import declared
from bot.ui.tree import DeskTree

EXTENSIONS = (
    "cogs.inventory",
    "cogs.trades",
    "cogs.resends",
    "cogs.explain",
    "cogs.status",
    "cogs.access",
    "cogs.links",
    "cogs.settings",
    "cogs.pages",
)

_log = logging.getLogger(__name__)


class DeskClient(commands.Bot):
    """SkinDesk on Discord. It sees guilds, their roles and channels, and the interactions sent to it; no messages."""

    def __init__(self, *, desk: Desk, cards: DiscordResendCards, command_guild_ids: Sequence[int] = ()) -> None:
        # SkinDesk has nothing to do with voice: discord.py need not warn at each start that it cannot do it.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=DeskTree,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.desk = desk
        self.cards = cards
        self.in_flight = InFlight()
        self.is_stopping = False
        self._command_guild_ids = tuple(command_guild_ids)

    async def setup_hook(self) -> None:
        """Load every extension, or fail: a desk with half its commands is not started."""
        self.add_desk_items(PageButton, ResendButton, HaltButton)
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await self._sync()

    def add_desk_items(self, *items: type[discord.ui.DynamicItem[Any]]) -> None:
        """Listen to these components, after a restart too; NotDeclared where one does not say what it needs."""
        for item in items:
            declared(item)
        self.add_dynamic_items(*items)

    async def finish_interactions(self, *, within: float) -> None:
        """Take nothing new, leave ``within`` seconds to what is under way, and tell the rest to ask again."""
        self.is_stopping = True
        await self.in_flight.drain(within=within, give_up=lambda interaction: report(interaction, Interrupted()))

    async def on_ready(self) -> None:
        """Say in the log that it works, and where; it may be said again after a reconnect."""
        _log.info("ready guilds=%s user=%s", len(self.guilds), self.user.id if self.user else None)

    async def _sync(self) -> None:
        if not self._command_guild_ids:
            await self.tree.sync()
            return
        for guild_id in self._command_guild_ids:
            guild = discord.Object(guild_id)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)
        # Commands that were registered everywhere before would stand beside those of the guild.
        self.tree.clear_commands(guild=None)
        await self.tree.sync()
