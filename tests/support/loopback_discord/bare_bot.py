"""The smallest discord.py client that does what SkinDesk does: the loopback Discord is tested and measured with it."""

import asyncio
from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

Handler = Callable[[discord.Interaction], Awaitable[None]]


class Question(discord.ui.Modal, title="Deny"):
    """A modal in the present form: a labelled text."""

    reason = discord.ui.Label[discord.ui.Modal](
        text="Reason", component=discord.ui.TextInput(custom_id="reason", max_length=20, required=False)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.reason.component, discord.ui.TextInput)
        await interaction.response.edit_message(content=f"denied: {self.reason.component.value}", view=None)


class Buttons(discord.ui.View):
    """A button that edits its message, one that opens the modal, one for nobody, and a select."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Next", custom_id="next")
    async def next(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="page 2")

    @discord.ui.button(label="Deny", custom_id="deny")
    async def deny(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.send_modal(Question())

    @discord.ui.button(label="Off", custom_id="off", disabled=True)
    async def off(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        raise NotImplementedError

    @discord.ui.select(
        custom_id="sort", options=[discord.SelectOption(label="Price"), discord.SelectOption(label="Name")]
    )
    async def sort(self, interaction: discord.Interaction, chosen: discord.ui.Select["Buttons"]) -> None:
        await interaction.response.edit_message(content=f"by {chosen.values[0]}")


class BareBot(discord.Client):
    """The smallest bot that does what SkinDesk does. ``handler`` is what /anything does."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            guild_ready_timeout=0.0,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.tree = app_commands.CommandTree(self)
        self.handler: Handler = self.unset
        self.is_on_ready = asyncio.Event()
        self.failures: list[Exception] = []
        self.tree.error(self.failed)

    async def setup_hook(self) -> None:
        add_commands(self)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do without discord.py's five seconds before a second IDENTIFY."""

    async def on_ready(self) -> None:
        self.is_on_ready.set()

    async def unset(self, interaction: discord.Interaction) -> None:
        raise NotImplementedError

    async def failed(self, _: discord.Interaction, error: app_commands.AppCommandError) -> None:
        self.failures.append(error)


def add_commands(bot: BareBot) -> None:
    @bot.tree.command(description="Price an inventory")
    @app_commands.choices(game=[app_commands.Choice(name="CS2", value="cs2")])
    async def inventory(
        interaction: discord.Interaction,
        tradeurl: app_commands.Range[str, 1, 40],
        game: str = "cs2",
        min_price: float = 0.5,
        *,
        refresh: bool = False,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        embed = discord.Embed(title=tradeurl).add_field(name=game, value=f"{min_price} {refresh}")
        await interaction.edit_original_response(content="page 1", embed=embed, view=Buttons())

    access = app_commands.Group(name="access", description="Who may do what")

    @access.command(description="Explain")
    async def why(
        interaction: discord.Interaction, member: discord.Member, role: discord.Role, channel: discord.TextChannel
    ) -> None:
        held = [held.name for held in member.roles]
        await interaction.response.send_message(f"{member.name} {held} {role.name} {channel.name}")

    @bot.tree.command(description="Resend")
    async def resend(interaction: discord.Interaction, id: str) -> None:  # noqa: A002 -- the option's name
        await interaction.response.send_message(id)

    @resend.autocomplete("id")
    async def suggest(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"trade {current}", value=current)]

    @bot.tree.command(description="Whatever the test says")
    async def anything(interaction: discord.Interaction) -> None:
        await bot.handler(interaction)

    @bot.tree.context_menu(name="Explain error codes")
    async def explain(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about: {message.content}", ephemeral=True)

    @bot.tree.context_menu(name="Show trades")
    async def trades(interaction: discord.Interaction, user: discord.Member) -> None:
        await interaction.response.send_message(f"of {user.name}", ephemeral=True)

    bot.tree.add_command(access)
