"""The Discord client: the least intents, no mentions, extensions by name, commands synced at start."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import discord
from discord.ext import commands, tasks

from bot.domain.health import DatabaseFault, ShardHealth
from bot.gateway import Gateway, Sharding
from bot.observability.discord_http import DiscordRequests
from bot.observability.tracing import Observer, log_interaction
from bot.ports import CommandSyncs
from bot.ports.workers import Workers
from bot.services.background import Job
from bot.services.container import Services
from bot.shards import Shards, progress
from bot.ui.access import RevokeDeletedButton
from bot.ui.confirm import ConfirmButton, SignInButton
from bot.ui.customer.controls import CustomerButton, NoteModal, NoteSelect, TradeUrlModal
from bot.ui.interaction.command_translator import CommandTranslator
from bot.ui.interaction.components import is_known, refuse
from bot.ui.interaction.error_handler import CopyButton, handle
from bot.ui.interaction.incoming import IncomingEvents
from bot.ui.interaction.modals import SkinDeskModal, submit
from bot.ui.interaction.names import names_of, unknown_names
from bot.ui.interaction.rights import commands_in, declared
from bot.ui.interaction.session import Interaction, Sessions
from bot.ui.interaction.tree import SkinDeskTree, place_commands, sync_commands
from bot.ui.interaction.watch import drain, finish_stuck
from bot.ui.inventory_pages import FilterModal, InventoryButton, ItemSelect, SortSelect
from bot.ui.meanings import MeaningSelect
from bot.ui.pager import PageButton
from bot.ui.resends.ask import AskModal, AskToResendButton
from bot.ui.resends.buttons import PauseButton, ResendButton, ResumeButton, TakeButton, WithdrawButton
from bot.ui.resends.channel import DiscordResendCards
from bot.ui.resends.queue import QueueButton
from bot.ui.resends.reasons import DenialSelect, ReasonModal
from bot.ui.trade_pages import TradesButton, TradeSelect
from bot.ui.watches import NotifyButton, StopButton

_COGS = (
    "inventory",
    "trades",
    "customer",
    "resends",
    "explain",
    "status",
    "access",
    "links",
    "settings",
    "audit",
    "mydata",
)
EXTENSIONS = tuple(f"cogs.{name}" for name in _COGS)
_PAGE_COMPONENTS = (PageButton, InventoryButton, SortSelect, ItemSelect, TradesButton, TradeSelect)
COMPONENTS: tuple[type[discord.ui.DynamicItem[Any]], ...] = (
    *_PAGE_COMPONENTS,
    CustomerButton,
    NoteSelect,
    ResendButton,
    TakeButton,
    DenialSelect,
    WithdrawButton,
    AskToResendButton,
    QueueButton,
    PauseButton,
    ResumeButton,
    RevokeDeletedButton,
    MeaningSelect,
    NotifyButton,
    StopButton,
    CopyButton,
    ConfirmButton,
    SignInButton,
)
MODALS: tuple[type[SkinDeskModal], ...] = (FilterModal, NoteModal, TradeUrlModal, AskModal, ReasonModal)

_log = logging.getLogger(__name__)

_WATCH_EVERY = timedelta(seconds=5)
_SYNC_EVERY = timedelta(seconds=5)
_CLAIMED_WITHIN = 0.5
"""Seconds of a stop for the interactions of which it is not known yet which process answers them."""
_LONGEST = 60.0
"""Seconds that no interaction takes unless something hangs: a lookup has 15, a resend two reads and a call."""


class SkinDeskClient(commands.AutoShardedBot):
    """SkinDesk on Discord: it receives guilds with their roles and channels, and interactions, but no messages."""

    def __init__(
        self,
        *,
        services: Services,
        cards: DiscordResendCards,
        synced: CommandSyncs | None = None,
        command_guild_ids: Sequence[int] = (),
        sharding: Sharding | None = None,
        observers: Sequence[Observer] = (),
        requests: DiscordRequests | None = None,
        on_stopping: Callable[[], None] | None = None,
    ) -> None:
        # discord.py warns at each start that it cannot do voice, which SkinDesk does not use.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=SkinDeskTree,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.http.http_trace = (requests or DiscordRequests()).trace
        self.incoming = IncomingEvents(self, services.workers)
        self.services = services
        self.cards = cards
        self.sessions = Sessions([log_interaction, *observers], on_finished=services.workers.finished)
        self._sharding = sharding or Sharding()
        self._shards = Shards(self._sharding.ids or [0], clock=services.clock)
        self._gateway = Gateway(self, self._sharding, on_shards=self._shards.expect, on_lost=self._lost)
        self.database_fault: Callable[[], DatabaseFault | None] = lambda: None
        self.is_stopping = False
        self._on_stopping = on_stopping
        self._synced = synced
        self._command_guild_ids = tuple(command_guild_ids)
        self._are_synced = False
        jobs = [*services.background]
        if not services.workers.is_alone:
            jobs += [
                Job("take over", timedelta(), self._take_over),
                Job("commands", _SYNC_EVERY, self._sync_if_needed, waits_first=True, is_housekeeping=True),
            ]
        self._jobs = [_loop_of(job, services.workers) for job in jobs]
        self._watch = _loop_of(
            Job("watch", _WATCH_EVERY, partial(finish_stuck, self.sessions, longest=_LONGEST)), services.workers
        )

    async def setup_hook(self) -> None:
        """Decide which server is served, register components and commands; any failure stops the start."""
        guilds = self.services.guilds
        if guilds.is_open:
            await guilds.decide({guild.id: guild.name async for guild in self.fetch_guilds(limit=None)})
        await self.tree.set_translator(CommandTranslator())
        self.add_dynamic_items(*COMPONENTS)
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        place_commands(self.tree, self._command_guild_ids)
        await self.services.workers.join(receives=self._receives)
        await self.services.delivery.recover()  # before anyone can press a button
        for loop in (*self._jobs, self._watch):
            loop.start()
        if self.services.workers.leads(None):
            await self._sync_commands()

    async def _sync_commands(self) -> None:
        await sync_commands(self.tree, self._synced, guild_ids=self._command_guild_ids)
        self._are_synced = True

    async def _sync_if_needed(self) -> None:
        """Send Discord this version's commands after taking over: the process before may have been of another one."""
        if not self._are_synced:
            try:
                await self._sync_commands()
            except discord.HTTPException as error:
                _log.warning("commands not synced yet status=%s code=%s", error.status, error.code)

    async def _take_over(self) -> None:
        """Once another process is gone, do at once what it has left."""
        await self.services.workers.changed()
        self._are_synced = False
        await self.services.delivery.tick()

    async def close(self) -> None:
        """Stop the background jobs and disconnect."""
        for loop in (*self._jobs, self._watch):
            loop.cancel()
        for each in self.shards_health():
            self._shards.set(each.shard, connected=False)
        await self._gateway.close()
        await super().close()

    def add_dynamic_items(self, *items: type[discord.ui.DynamicItem[Any]]) -> None:
        """Register components; NotDeclared if one declares no requirement."""
        for item in items:
            declared(item)
        super().add_dynamic_items(*items)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Handle a submitted modal and unknown components; commands and components have handlers of their own."""
        if interaction.type is discord.InteractionType.modal_submit:
            await handle(interaction, partial(submit, kinds=MODALS))
        elif interaction.type is discord.InteractionType.component and not is_known(interaction, COMPONENTS):
            await handle(interaction, refuse)

    async def finish_interactions(self, *, within: float) -> None:
        """Accept no new interactions; wait ``within`` seconds for the running ones, then interrupt them.

        Other processes take the new ones and the background jobs from now on, if there are any.
        """
        until = asyncio.get_running_loop().time() + within
        for loop in (*self._jobs, self._watch):
            loop.cancel()
        await self.services.workers.leave()
        await self.incoming.claimed(within=_CLAIMED_WITHIN)  # by this process: another one leaves them alone
        self.is_stopping = True
        if self._on_stopping is not None:
            self._on_stopping()
        await drain(self.sessions, within=max(0.0, until - asyncio.get_running_loop().time()))
        await self.incoming.claimed(within=_CLAIMED_WITHIN)  # meanwhile, as there is no other one
        await drain(self.sessions, within=max(0.0, until - asyncio.get_running_loop().time()))

    def shards_health(self) -> tuple[ShardHealth, ...]:
        """Return whether each shard is connected to the gateway, and since when."""
        return self._shards.health()

    def interaction_names(self) -> Iterator[tuple[str, bool]]:
        """Go through the names of the interactions that may come, and whether each has suggestions.

        Commands are known once the client is set up.
        """
        for root in self.tree.get_commands():
            for command in commands_in(root):
                yield command.qualified_name, bool(declared(command.callback).suggesting)
        templates = [
            *(each.__discord_ui_compiled_template__ for each in COMPONENTS),
            *(each.template for each in MODALS),
        ]
        for name in (*(name for each in templates for name in names_of(each.pattern)), *unknown_names()):
            yield name, False

    def _receives(self) -> bool:
        return all(each.connected for each in self.shards_health())

    async def on_shard_connect(self, shard: int) -> None:
        """Note a new session: from here on the interactions of its servers arrive."""
        self._shards.set(shard, connected=True)
        _log.info("gateway connected shard=%s %s", shard, progress(self.shards_health()))
        await self._gateway.session_began(shard)
        await self.services.workers.join(receives=self._receives)

    async def on_shard_resumed(self, shard: int) -> None:
        """Note that the gateway is back and no event is lost."""
        self._shards.set(shard, connected=True)
        _log.info("gateway resumed shard=%s", shard)
        await self.services.workers.join(receives=self._receives)

    async def on_ready(self) -> None:
        """Log that all shards are connected; Discord may send this again after a reconnect."""
        _log.info("ready guilds=%s user=%s", len(self.guilds), self.user.id if self.user else None)
        for guild_id in sorted(self.services.guilds.ids - {guild.id for guild in self.guilds}):
            if self.has_shard_of(guild_id):
                _log_absent(guild_id)

    def has_shard_of(self, guild_id: int) -> bool:
        """Return whether a server's events come to this process."""
        return self._sharding.group is None or self._sharding.group.has(guild_id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Serve the first server; log any other one that is not served."""
        await self.on_guild_available(guild)
        if not self.services.guilds.serves(guild.id):
            _log.warning("in a server that is not served guild=%s: see discord.guild_ids", guild.id)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Serve the first server."""
        await self.services.guilds.claim(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Log that the bot is no longer in a server that it serves."""
        if guild.id in self.services.guilds.ids:
            _log_absent(guild.id)

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected to the gateway until the client is closed."""
        if not reconnect:
            raise NotImplementedError
        await self._gateway.stay_connected()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until Discord accepts a session of this shard."""
        del initial
        await self._gateway.before_identify(shard_id or 0)

    def _lost(self, shard: int, reason: str) -> None:
        is_news = self._shards.set(shard, connected=False, trouble=reason)
        _log.warning("gateway %s shard=%s: %s", "disconnected" if is_news else "not connected", shard, reason)


def _log_absent(guild_id: int) -> None:
    _log.warning("not in a server that is served guild=%s: invite the bot, or set discord.guild_ids", guild_id)


def _loop_of(job: Job, workers: Workers) -> tasks.Loop[Any]:
    async def run() -> None:
        if workers.leads(None) or not job.is_housekeeping:
            await job.run()

    async def wait() -> None:
        await asyncio.sleep(job.every.total_seconds())

    loop = tasks.loop(seconds=job.every.total_seconds())(run)
    if job.waits_first:
        loop.before_loop(wait)
    return loop
