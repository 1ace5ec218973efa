"""The Discord client: the least intents, no mentions, extensions by name, commands synced at start."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord.ext import commands, tasks

from bot.observability.discord_http import DiscordRequests
from bot.observability.tracing import Observer, log_interaction
from bot.ports import CommandSyncs
from bot.services.background import Job
from bot.services.container import Services
from bot.ui.access.buttons import RevokeDeletedButton
from bot.ui.interaction.command_sync import sync_commands
from bot.ui.interaction.error_handler import give_up, interrupt, reply_again
from bot.ui.interaction.in_flight import InFlight
from bot.ui.interaction.interactions import Interaction
from bot.ui.interaction.modals import Modals
from bot.ui.interaction.rights import SkinDeskModal, declared
from bot.ui.interaction.tree import SkinDeskTree
from bot.ui.pager import FilterModal, InventoryButton, ItemSelect, PageButton, SortSelect
from bot.ui.resends.buttons import ReasonModal, ResendButton
from bot.ui.resends.channel import DiscordResendCards
from bot.ui.resends.pause_buttons import PauseButton

EXTENSIONS = (
    "cogs.inventory",
    "cogs.trades",
    "cogs.resends",
    "cogs.explain",
    "cogs.status",
    "cogs.access",
    "cogs.links",
    "cogs.settings",
    "cogs.audit",
    "cogs.mydata",
)

_log = logging.getLogger(__name__)

_WATCH_EVERY = 5.0
_LONGEST = 60.0
"""Seconds that no interaction takes unless something hangs: a lookup has 15, a resend two readings and a call."""


class SkinDeskClient(commands.Bot):
    """SkinDesk on Discord. It sees guilds, their roles and channels, and the interactions sent to it; no messages."""

    def __init__(
        self,
        *,
        services: Services,
        cards: DiscordResendCards,
        synced: CommandSyncs | None = None,
        command_guild_ids: Sequence[int] = (),
        observers: Sequence[Observer] = (),
        requests: DiscordRequests | None = None,
        on_stopping: Callable[[], None] | None = None,
    ) -> None:
        # SkinDesk has nothing to do with voice: discord.py need not warn at each start that it cannot do it.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        requests = requests or DiscordRequests()
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=SkinDeskTree,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            http_trace=requests.trace,
        )
        self.services = services
        self.cards = cards
        self.in_flight = InFlight([log_interaction, *observers])
        requests.on_acknowledged = self.in_flight.acknowledged
        self.is_connected = False
        """Whether the gateway is there: discord.py ends it itself where no heartbeat comes back."""
        self.is_stopping = False
        self._on_stopping = on_stopping
        self._modals = Modals()
        self._synced = synced
        self.item_types: tuple[type[discord.ui.DynamicItem[Any]], ...] = ()
        self._command_guild_ids = tuple(command_guild_ids)
        self._jobs: list[tasks.Loop[Any]] = []

    async def setup_hook(self) -> None:
        """Load every extension, or fail: a desk with half its commands is not started."""
        self.add_item_types(PageButton, InventoryButton, SortSelect, ItemSelect)
        self.add_item_types(ResendButton, PauseButton, RevokeDeletedButton)
        self.add_modal_types(FilterModal, ReasonModal)
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await self.services.delivery.recover()  # before anyone can press a button
        for job in self.services.background:
            self._start(job)
        self.watch.start()
        await sync_commands(self.tree, self._synced, guild_ids=self._command_guild_ids)

    def _start(self, job: Job) -> None:
        async def wait() -> None:
            await asyncio.sleep(job.every.total_seconds())

        loop = tasks.loop(seconds=job.every.total_seconds())(job.run)
        if job.waits_first:
            loop.before_loop(wait)
        loop.start()
        self._jobs.append(loop)

    async def close(self) -> None:
        """Stop the background jobs and disconnect."""
        for loop in (self.watch, *self._jobs):
            loop.cancel()
        await super().close()

    def add_item_types(self, *items: type[discord.ui.DynamicItem[Any]]) -> None:
        """Listen to these components, after a restart too; NotDeclared where one does not say what it needs."""
        self.add_dynamic_items(*items)

    def add_dynamic_items(self, *items: type[discord.ui.DynamicItem[Any]]) -> None:
        """Let no other way past the declaration either; what is listened to is kept in ``item_types``."""
        for item in items:
            declared(item)
        super().add_dynamic_items(*items)
        self.item_types = (*self.item_types, *items)

    def add_modal_types(self, *modals: type[SkinDeskModal]) -> None:
        """Take these in when they are sent, after a restart too; NotDeclared where one does not say what it needs."""
        self._modals.add(*modals)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Take in a modal; commands and components reach their own handlers before this."""
        if interaction.type is discord.InteractionType.modal_submit:
            await self._modals.take_in(interaction)

    async def finish_interactions(self, *, within: float) -> None:
        """Take nothing new, leave ``within`` seconds to what is under way, and tell the rest to ask again."""
        self.is_stopping = True
        if self._on_stopping is not None:
            self._on_stopping()
        self.watch.cancel()
        await self.in_flight.drain(within=within, give_up=interrupt, again=reply_again)

    @tasks.loop(seconds=_WATCH_EVERY)
    async def watch(self) -> None:
        """See that no interaction stays open; a bad round is logged and the next one tries again."""
        try:
            await self.in_flight.watch(longest=_LONGEST, give_up=give_up, again=reply_again)
        except Exception:  # noqa: BLE001 -- a loop that raises ends for good
            _log.exception("watch over interactions failed")

    async def on_ready(self) -> None:
        """Say in the log that it works, and where; it may be said again after a reconnect."""
        self.is_connected = True
        _log.info("ready guilds=%s user=%s", len(self.guilds), self.user.id if self.user else None)

    async def on_resumed(self) -> None:
        """Note that the gateway is back, and nothing was missed."""
        self.is_connected = True
        _log.info("gateway resumed")

    async def on_disconnect(self) -> None:
        """Note that the gateway is gone; discord.py connects again by itself. It is said once, not at every try."""
        if self.is_connected:
            _log.warning("gateway disconnected")
        self.is_connected = False
