"""One interaction and the side of Discord that belongs to it."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import discord
from discord import InteractionType

from bot.ui.interaction.session import InteractionSession, Sessions, session_of
from tests.fakes.guilds import every_guild


class FakeInteraction:
    """An interaction that records what Discord is sent; ``trouble`` runs before Discord accepts a request."""

    def __init__(
        self, sessions: Sessions, *, kind: InteractionType = InteractionType.application_command, custom_id: str = ""
    ) -> None:
        references = SimpleNamespace(remember=lambda *_, **__: None)
        services = SimpleNamespace(explanations=None, guilds=every_guild(), references=references)
        incoming = SimpleNamespace(incomplete=set(), unclaimed={})
        self.client = SimpleNamespace(sessions=sessions, services=services, is_stopping=False, incoming=incoming)
        self.id = 9
        self.type = kind
        self.command = None
        self.data = {"custom_id": custom_id}
        self.guild_id = 7
        self.locale = discord.Locale.american_english
        self.user = SimpleNamespace(id=8)
        self.extras: dict[str, Any] = {}
        self.response = self.followup = self
        self.sent: list[tuple[str, str]] = []
        self.uploaded: list[bytes] = []
        self.trouble: dict[str, Callable[[], Awaitable[object]]] = {}
        self._is_done = False

    def fail(self, request: str, *errors: Exception) -> None:
        """Let the next requests of a kind fail."""
        pending = list(errors)

        async def trouble() -> None:
            if pending:
                raise pending.pop(0)

        self.trouble[request] = trouble

    def is_done(self) -> bool:
        return self._is_done

    async def defer(self, *, ephemeral: bool, thinking: bool) -> None:
        assert ephemeral is thinking
        await self._receive("defer", "thinking" if thinking else "")
        self._is_done = True

    async def send_message(self, *, embed: discord.Embed, file: discord.File | None = None, **_: Any) -> None:
        await self._receive("message", embed.title, file)
        self._is_done = True

    async def edit_original_response(self, *, embed: discord.Embed, **_: Any) -> None:
        await self._receive("edit", embed.title)

    async def send(self, *, embed: discord.Embed, **_: Any) -> None:
        await self._receive("follow-up", embed.title)

    async def _receive(self, request: str, text: str | None, file: discord.File | None = None) -> None:
        if file is not None:
            self.uploaded.append(file.fp.read())
        if request in self.trouble:
            await self.trouble[request]()
        self.sent.append((request, text or ""))


async def start(
    interaction: Any, work: Callable[[InteractionSession], Awaitable[None]]
) -> tuple[InteractionSession, asyncio.Task[None]]:
    """Start work on an interaction in a task of its own, up to its first pause."""

    async def working() -> None:
        await work(session_of(interaction))

    task = asyncio.create_task(working())
    await asyncio.sleep(0)
    return session_of(interaction), task


async def finished(interaction: Any, work: Callable[[InteractionSession], Awaitable[None]]) -> InteractionSession:
    """Do the work on an interaction, and wait until its session has ended."""
    session, task = await start(interaction, work)
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    return session
