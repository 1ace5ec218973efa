"""The loopback Discord refuses what Discord refuses: otherwise the end-to-end tests would pass for nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest
from discord import app_commands

from tests.support.discord_server import LoopbackDiscord, pointed_at
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.loopback_discord.wire import Refusal

Handler = Callable[[discord.Interaction], Awaitable[None]]


class Buttons(discord.ui.View):
    """A button that works and one that is disabled."""

    @discord.ui.button(label="Next", custom_id="next")
    async def next(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="page 2")

    @discord.ui.button(label="Off", custom_id="off", disabled=True)
    async def off(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        raise NotImplementedError


class Stage:
    """A guild with two members and a client whose /anything runs ``handler``."""

    def __init__(self, server: LoopbackDiscord) -> None:
        self.server = server
        self.guild = server.add_guild()
        self.channel = self.guild.add_channel("support")
        self.member, self.other = self.guild.add_member("mia"), self.guild.add_member("ada")
        self.bot = discord.Client(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self.bot)
        self.handler: Handler | None = None

        @self.tree.command(description="Runs the test's handler")
        async def anything(interaction: discord.Interaction) -> None:
            assert self.handler is not None
            await self.handler(interaction)

    async def use(self, handler: Handler) -> InteractionRecord:
        self.handler = handler
        return await self.server.slash(self.guild, self.channel, self.member, "anything")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with LoopbackDiscord() as server:
        with pointed_at(server):
            stage = Stage(server)
            async with stage.bot:
                await stage.bot.login(server.token)
                await stage.tree.sync()
                running = asyncio.create_task(stage.bot.connect())
                await server.until(lambda: server.gateway.is_connected)
                yield stage
                await stage.bot.close()
                await running


async def test_deferred(stage: Stage):
    """A deferral alone does not finish an interaction; the edit does."""
    go_on = asyncio.Event()

    async def handler(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await go_on.wait()
        await interaction.edit_original_response(content="page 1", view=Buttons())

    record = await stage.use(handler)
    await stage.server.until(lambda: record.acknowledged_at)
    assert not record.is_finished
    assert record.message is not None
    assert record.message.is_loading
    go_on.set()
    message = await answer(record)

    assert message.is_ephemeral
    assert message.text == "page 1\nNext\nOff"
    for custom_id, person in (("next", stage.other), ("off", stage.member), ("none", stage.member)):
        with pytest.raises(LookupError):
            await stage.server.click(message, custom_id, person)
    assert await answer(await stage.server.click(message, "next", stage.member)) is message
    assert message.content == "page 2"


async def answer(record: InteractionRecord) -> Message:
    message = (await record.finished()).message
    assert message is not None
    return message


async def twice(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("one")
    interaction.response._response_type = None
    await interaction.response.send_message("two")


async def late(interaction: discord.Interaction) -> None:
    await asyncio.sleep(0.1)
    await interaction.response.send_message("late")


async def too_early(interaction: discord.Interaction) -> None:
    await interaction.edit_original_response(content="early")


async def too_long_after(interaction: discord.Interaction) -> None:
    await interaction.response.defer()
    await asyncio.sleep(0.1)
    await interaction.followup.send("late")


async def empty(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("")


@pytest.mark.parametrize(
    ("handler", "refusal"),
    [
        (twice, Refusal.ALREADY_ACKNOWLEDGED),
        (late, Refusal.UNKNOWN_INTERACTION),
        (too_early, Refusal.UNKNOWN_WEBHOOK),
        (too_long_after, Refusal.EXPIRED_TOKEN),
        (empty, Refusal.EMPTY_MESSAGE),
    ],
)
async def test_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch, handler: Handler, refusal: Refusal):
    """An answer against Discord's rules is refused with Discord's code and changes nothing."""
    module = "tests.support.loopback_discord.interactions"
    monkeypatch.setattr(f"{module}.{'ACKNOWLEDGE_WITHIN' if handler is late else 'TOKEN_LIVES'}", 0.05)
    refused: list[discord.HTTPException] = []

    async def attempt(interaction: discord.Interaction) -> None:
        try:
            await handler(interaction)
        except discord.HTTPException as error:
            refused.append(error)

    record = await stage.use(attempt)
    await stage.server.until(lambda: refused)

    assert [(error.status, error.code) for error in refused] == [refusal.value[:2]]
    assert record.refusals == [refusal]
    assert [message.content for message in stage.channel.messages] in ([], ["one"], [""])
    assert record.is_finished is (handler is twice)
