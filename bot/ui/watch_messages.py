"""Sends direct messages about watched trades, and asks Discord for the roles of those who watch."""

import logging
from typing import Any

import discord

from bot.domain.access import Actor
from bot.domain.trades import Trade
from bot.domain.watches import Delivery, Watch, WatchEnd
from bot.languages import Language, in_language, of_code
from bot.ports import Explanations
from bot.ui.interaction.server_language import server_language
from bot.ui.interaction.session import actor_from
from bot.ui.watches import begin_embed, change_embed, change_line, end_embed, stop_view

_log = logging.getLogger(__name__)

_REFUSED = frozenset({50007, 50278, 10013})
"""Discord's codes for a user who takes no messages from SkinDesk, shares no server with it, or does not exist."""


class DiscordWatchMessages:
    """Sends them. Call ``connect`` first."""

    def __init__(self, *, explanations: Explanations) -> None:
        self._explanations = explanations
        self._client: discord.Client | None = None

    def connect(self, client: discord.Client) -> None:
        """Use this client from now on."""
        self._client = client

    async def begin(self, watch: Watch, trade: Trade, *, is_own: bool) -> Delivery:
        """Tell that a watch begins."""
        server = self._server(watch)
        with in_language(await self._language(watch)):
            embed = begin_embed(watch, trade, explanations=self._explanations, server=server, is_own=is_own)
            view = stop_view(watch, trade)
        return await self._send(watch, embed=embed, view=view)

    async def change(self, watch: Watch, trade: Trade, *, is_own: bool, nonce: str) -> Delivery:
        """Tell a change, with its line as the message's text: that is what a phone shows."""
        server = self._server(watch)
        with in_language(await self._language(watch)):
            embed = change_embed(watch, trade, explanations=self._explanations, server=server, is_own=is_own)
            line = change_line(trade, explanations=self._explanations, is_own=is_own)
            view = stop_view(watch, trade)
        return await self._send(watch, content=line, embed=embed, view=view, nonce=nonce)

    async def end(self, watch: Watch, why: WatchEnd) -> Delivery:
        """Tell that a watch has ended."""
        with in_language(await self._language(watch)):
            embed = end_embed(watch, why, self._server(watch))
        return await self._send(watch, embed=embed)

    async def actor(self, guild_id: int, user_id: int) -> Actor | Delivery:
        """Ask Discord for a member: roles are known from interactions only."""
        guild = self._connected.get_guild(guild_id)
        if guild is None:
            return Delivery.FAILED
        try:
            return actor_from(await guild.fetch_member(user_id), guild_id)
        except discord.NotFound:
            return Delivery.REFUSED
        except Exception as error:  # noqa: BLE001 -- it is asked again with the next reading
            _log.info("roles not read guild=%s user=%s error=%s", guild_id, user_id, type(error).__name__)
            return Delivery.FAILED

    async def _send(self, watch: Watch, **content: Any) -> Delivery:
        given = {name: value for name, value in content.items() if value is not None}
        try:
            channel = await self._connected.create_dm(discord.Object(watch.user_id))
            await channel.send(**given)
        except Exception as error:  # noqa: BLE001 -- no caller waits for Discord, or its answer says it
            why = getattr(error, "code", None)
            _log.info(
                "watch message not sent id=%s user=%s error=%s code=%s",
                watch.id,
                watch.user_id,
                type(error).__name__,
                why,
            )
            return Delivery.REFUSED if why in _REFUSED else Delivery.FAILED
        return Delivery.SENT

    async def _language(self, watch: Watch) -> Language:
        """Return the language of a watch's user, which need not be that of the current task."""
        if watch.language is None:
            return await server_language(self._connected, watch.guild_id)
        return of_code(watch.language)

    def _server(self, watch: Watch) -> str | None:
        guild = self._connected.get_guild(watch.guild_id)
        return None if guild is None else guild.name

    @property
    def _connected(self) -> discord.Client:
        if self._client is None:
            raise RuntimeError("trades are watched before the client exists")
        return self._client
