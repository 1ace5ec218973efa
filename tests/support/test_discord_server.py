"""The loopback Discord, used by a bare discord.py client in the same loop."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from tests.support.discord_server import LoopbackDiscord, pointed_at
from tests.support.loopback_discord.bare_bot import BareBot, Buttons, Handler
from tests.support.loopback_discord.gateway import NoBot
from tests.support.loopback_discord.guilds import Channel, Guild, Member, Permission, Role
from tests.support.loopback_discord.interactions import Interactions
from tests.support.loopback_discord.records import Answer
from tests.support.loopback_discord.wire import Refusal


@dataclass
class Services:
    """A guild with a member, an agent and a bot that is ready."""

    server: LoopbackDiscord
    bot: BareBot
    guild: Guild
    channel: Channel
    agents: Role
    member: Member
    agent: Member


@contextlib.asynccontextmanager
async def running(bot: BareBot, token: str) -> AsyncIterator[None]:
    async with bot:
        task = asyncio.create_task(bot.start(token))
        yield
        await bot.close()
        await task


@pytest.fixture
async def discord_server() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as server:
        with pointed_at(server):
            yield server


@pytest.fixture
async def services(discord_server: LoopbackDiscord) -> AsyncIterator[Services]:
    guild = discord_server.add_guild("Desk")
    agents = guild.add_role("agents")
    people = guild.add_member("mia"), guild.add_member("ada", agents)
    channel = guild.add_channel("support")
    bot = BareBot()
    async with running(bot, discord_server.token):
        await discord_server.ready()
        yield Services(discord_server, bot, guild, channel, agents, *people)
    assert discord_server.unknown_requests == []
    assert discord_server.gateway.unknown == []


async def anything(services: Services, handler: Handler):
    """Let /anything do ``handler`` and use it."""
    services.bot.handler = handler
    return await services.server.slash(services.guild, services.channel, services.member, "anything")


async def test_login(services: Services):
    """A client logs in, syncs, gets its guild and becomes ready, with the requests discord.py makes and no others."""
    async with asyncio.timeout(10):
        await services.bot.is_on_ready.wait()

    guild = services.bot.guilds[0]
    assert [(request.method, request.path, request.status) for request in services.server.requests] == [
        ("GET", "/users/@me", 200),
        ("GET", "/oauth2/applications/@me", 200),
        ("PUT", f"/applications/{services.server.world.application_id}/commands", 200),
    ]
    assert (guild.name, guild.owner_id) == ("Desk", services.guild.owner.id)
    assert [channel.name for channel in guild.channels] == ["support"]
    assert {role.name for role in guild.roles} == {"@everyone", "agents", "skindesk"}
    assert list(guild.members) == [guild.me]
    assert services.server.gateway.intents == 1
    assert services.server.commands.names() == [
        "Explain error codes",
        "Show trades",
        "access why",
        "anything",
        "inventory",
        "resend",
    ]


async def test_wrong_token(discord_server: LoopbackDiscord):
    """A wrong token is refused as Discord does it."""
    async with BareBot() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("wrong")


async def test_deferred_answer(services: Services):
    """A slash command is acknowledged, deferred, then finished by an edit; the record tells all of it."""
    record = await services.server.slash(
        services.guild,
        services.channel,
        services.member,
        "inventory",
        tradeurl="https://example",
        min_price=2,
        refresh=True,
    )
    await record.acknowledged()
    assert record.is_deferred
    await record.finished()

    message = record.message
    assert message is not None
    assert message is record.channel.messages[-1]
    assert record.answer is Answer.DEFERRED_MESSAGE
    assert record.callback == {"type": 5, "data": {"flags": 64}}
    assert 0 <= record.acknowledged_after < 3
    assert message.is_ephemeral
    assert not message.is_loading
    assert message.text.splitlines() == ["page 1", "https://example", "cs2", "2.0 True", "Next", "Deny", "Off"]
    assert message.custom_ids == ["next", "deny", "off", "sort"]
    assert [edit["content"] for edit in record.edits] == ["page 1"]
    assert record.refusals == []


async def test_resolved_options(services: Services):
    """Members, roles and channels arrive resolved, through sub-commands, with the member's roles of the moment."""
    services.member.roles.append(services.agents)
    record = await services.server.slash(
        services.guild,
        services.channel,
        services.agent,
        "access why",
        member=services.member,
        role=services.agents,
        channel=services.channel,
    )

    message = (await record.finished()).message
    assert message is not None
    assert message.content == "mia ['@everyone', 'agents'] agents support"
    assert not message.is_ephemeral


@pytest.mark.parametrize(
    ("command", "options", "error"),
    [
        ("nothing", {}, LookupError),
        ("access", {}, LookupError),
        ("access grant", {}, LookupError),
        ("inventory", {}, ValueError),
        ("inventory", {"tradeurl": "x", "price": 1}, ValueError),
        ("inventory", {"tradeurl": 5}, TypeError),
        ("inventory", {"tradeurl": "x" * 41}, ValueError),
        ("inventory", {"tradeurl": "x", "game": "rust"}, ValueError),
        ("inventory", {"tradeurl": "x", "min_price": True}, TypeError),
    ],
)
async def test_impossible_input(services: Services, command: str, options: dict[str, object], error: type[Exception]):
    """What a client would not let a person send is the test's mistake."""
    with pytest.raises(error):
        await services.server.slash(services.guild, services.channel, services.member, command, **options)


async def test_members_and_permissions(services: Services):
    """An interaction carries its user's roles and permissions: owner and administrators have all of them."""
    seen: list[tuple[list[str], bool]] = []

    async def look(interaction: discord.Interaction) -> None:
        assert isinstance(interaction.user, discord.Member)
        seen.append(([role.name for role in interaction.user.roles], interaction.permissions.administrator))
        await interaction.response.send_message("ok")

    services.bot.handler = look
    admins = services.guild.add_role("admins", Permission.ADMINISTRATOR)
    for person in (services.agent, services.guild.owner, services.guild.add_member("root", admins)):
        await (await services.server.slash(services.guild, services.channel, person, "anything")).finished()

    # The bot has not been told of the new role: only ids of known roles become roles.
    assert seen == [(["@everyone", "agents"], False), (["@everyone"], True), (["@everyone"], True)]


async def test_click(services: Services):
    """A click edits the message; nobody else finds an ephemeral one, and a disabled button is none."""
    record = await services.server.slash(services.guild, services.channel, services.member, "inventory", tradeurl="x")
    message = (await record.finished()).message
    assert message is not None
    click = await services.server.click(message, "next", services.member)
    await click.finished()

    assert click.message is message
    assert click.answer is Answer.DEFERRED_UPDATE
    assert message.content == "page 2"
    assert message.embeds
    choice = await (await services.server.select(message, "sort", services.member, "Name")).finished()
    assert choice.message is not None
    assert choice.message.content == "by Name"
    for custom_id, person in (
        ("next", services.agent),
        ("off", services.member),
        ("none", services.member),
        ("sort", services.member),
    ):
        with pytest.raises(LookupError):
            await services.server.click(message, custom_id, person)


async def test_modal(services: Services):
    """A modal is filled in by label or custom id, and its submission edits the message it came from."""
    record = await services.server.slash(services.guild, services.channel, services.member, "inventory", tradeurl="x")
    message = (await record.finished()).message
    assert message is not None
    opened = await (await services.server.click(message, "deny", services.member)).finished()
    assert opened.modal["title"] == "Deny"
    with pytest.raises(ValueError, match="length"):
        await services.server.submit_modal(opened, {"reason": "x" * 21})
    with pytest.raises(LookupError):
        await services.server.submit_modal(opened, {"other": ""})
    submitted = await services.server.submit_modal(opened, {"Reason": "not yours"})
    await submitted.finished()

    assert message.content == "denied: not yours"
    assert message.custom_ids == []


async def test_autocomplete(services: Services):
    """Autocompletion answers with choices."""
    record = await services.server.autocomplete(
        services.guild, services.channel, services.member, "resend", "id", id="12"
    )
    await record.finished()

    assert record.choices == [{"name": "trade 12", "value": "12"}]


async def test_context_menus(services: Services):
    """Context menus get the message or the person they were used on."""
    said = services.server.say(services.channel, services.member, "error 42")
    about = await services.server.context_menu(
        services.guild, services.channel, services.agent, "Explain error codes", said
    )
    trades = await services.server.context_menu(
        services.guild, services.channel, services.agent, "Show trades", services.member
    )
    answers = [(await record.finished()).message for record in (about, trades)]

    assert [answer and answer.content for answer in answers] == ["about: error 42", "of mia"]
    with pytest.raises(ValueError, match="Show trades"):
        await services.server.context_menu(services.guild, services.channel, services.agent, "Show trades", said)


async def test_followups_and_files(services: Services):
    """The first follow-up takes the place of "thinking…" and its visibility; files are kept."""

    async def handler(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("first", file=discord.File(io.BytesIO(b"{}"), "data.json"))
        second = await interaction.followup.send("second", wait=True)
        await second.edit(content="second, edited")
        await second.delete()
        original = await interaction.original_response()
        await original.edit(attachments=[])

    record = await anything(services, handler)
    await services.server.until(lambda: len(record.edits) == 2)

    first, second = record.followups
    assert record.message is first
    assert (first.content, first.is_ephemeral, first.is_loading, first.files) == ("first", True, False, {})
    assert (second.content, second.is_ephemeral, second.is_deleted) == ("second, edited", False, True)
    upload = services.server.requests_to("POST", "/webhooks/*/*")[0]
    assert upload.body["content"] == "first"
    assert upload.file_names == ["data.json"]
    assert upload.files["files[0]"] == ("data.json", b"{}")


async def test_answered_twice(services: Services):
    """A second first answer is 40060."""
    codes = []

    async def handler(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("one")
        interaction.response._response_type = None
        try:
            await interaction.response.send_message("two")
        except discord.HTTPException as error:
            codes.append((error.status, error.code))

    record = await anything(services, handler)
    await services.server.until(lambda: codes)

    assert codes == [(400, 40060)]
    assert record.refusals == [Refusal.ALREADY_ACKNOWLEDGED]
    assert record.message is not None
    assert record.message.content == "one"


async def test_answered_late(services: Services, monkeypatch: pytest.MonkeyPatch):
    """A first answer after the time for it is 10062, and nothing is shown."""
    monkeypatch.setattr("tests.support.loopback_discord.interactions.ACKNOWLEDGE_WITHIN", 0.05)
    delay = services.server.faults.delay("POST", "/interactions/*/*/callback", 0.1)
    codes = []

    async def handler(interaction: discord.Interaction) -> None:
        try:
            await interaction.response.send_message("late")
        except discord.NotFound as error:
            codes.append(error.code)

    record = await anything(services, handler)
    await services.server.until(lambda: codes)

    assert codes == [10062]
    assert record.refusals == [Refusal.UNKNOWN_INTERACTION]
    assert record.message is None
    assert delay.used == 1
    with pytest.raises(TimeoutError):
        await record.acknowledged(0.01)


async def test_followed_up_before_answered(services: Services):
    """A follow-up or an edit before any first answer is 10015."""
    codes = []

    async def handler(interaction: discord.Interaction) -> None:
        for early in (interaction.followup.send("early"), interaction.edit_original_response(content="early")):
            try:
                await early
            except discord.NotFound as error:
                codes.append(error.code)

    record = await anything(services, handler)
    await services.server.until(lambda: len(codes) == 2)

    assert codes == [10015, 10015]
    assert record.refusals == [Refusal.UNKNOWN_WEBHOOK] * 2


async def test_followed_up_too_late(services: Services, monkeypatch: pytest.MonkeyPatch):
    """A token that has lived its time is 50027."""
    monkeypatch.setattr("tests.support.loopback_discord.interactions.TOKEN_LIVES", 0.0)
    codes = []

    async def handler(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        try:
            await interaction.edit_original_response(content="late")
        except discord.HTTPException as error:
            codes.append((error.status, error.code))

    record = await anything(services, handler)
    await services.server.until(lambda: codes)

    assert codes == [(401, 50027)]
    assert not record.is_finished


async def test_empty_message(services: Services):
    """A message without anything is 50006 and acknowledges nothing."""
    codes = []

    async def handler(interaction: discord.Interaction) -> None:
        try:
            await interaction.response.send_message("")
        except discord.HTTPException as error:
            codes.append(error.code)

    record = await anything(services, handler)
    await services.server.until(lambda: codes)

    assert codes == [50006]
    assert record.callback is None


async def test_channel_messages(services: Services):
    """Messages in channels are posted, read, edited and deleted; ephemeral ones cannot be reached that way."""
    channel = services.bot.get_channel(services.channel.id)
    assert isinstance(channel, discord.TextChannel)
    sent = await channel.send("pending", view=Buttons())
    await sent.edit(content="sent", view=None)
    fetched = await channel.fetch_message(sent.id)
    said = services.server.say(services.channel, services.member, "mine")
    with pytest.raises(discord.Forbidden) as forbidden:
        await channel.get_partial_message(said.id).edit(content="yours")
    hidden = await services.server.slash(services.guild, services.channel, services.member, "inventory", tradeurl="x")
    answer = (await hidden.finished()).message
    assert answer is not None
    with pytest.raises(discord.NotFound) as not_found:
        await channel.get_partial_message(answer.id).edit(content="x")

    message = services.server.world.messages[sent.id]
    assert (message.content, message.components, fetched.content) == ("sent", [], "sent")
    assert message.author is services.server.world.bot
    assert (forbidden.value.code, not_found.value.code) == (50005, 10008)
    await sent.delete()
    assert message.is_deleted


async def test_card_button_after_restart(services: Services):
    """A message of an earlier run can be clicked: everything the bot needs is in the interaction."""

    class Card(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"resend:(?P<id>\d+):approve"):
        @classmethod
        async def from_custom_id(cls, _: discord.Interaction, item: discord.ui.Item[Any], match, /):
            assert isinstance(item, discord.ui.Button)
            return cls(item)

        async def callback(self, interaction: discord.Interaction) -> None:
            await interaction.response.edit_message(content=f"clicked {self.custom_id}", view=None)

    services.bot.add_dynamic_items(Card)
    channel = services.bot.get_partial_messageable(services.channel.id)
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Approve", custom_id="resend:41:approve"))
    sent = await channel.send("card", view=view)
    view.stop()
    click = await services.server.click(services.server.world.messages[sent.id], "resend:41:approve", services.agent)
    await click.finished()

    assert click.message is not None
    assert click.message.content == "clicked resend:41:approve"


async def test_channel_permissions(services: Services):
    """A channel the bot may not see or write in is refused as Discord does it."""
    bot_id = str(services.guild.bot.id)
    codes = []
    for bit in (Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES):
        services.channel.overwrites = [{"id": bot_id, "type": 1, "allow": "0", "deny": str(int(bit))}]
        with pytest.raises(discord.Forbidden) as refused:
            await services.bot.get_partial_messageable(services.channel.id).send("x")
        codes.append(refused.value.code)

    assert codes == [50001, 50013]


async def test_direct_messages(services: Services):
    """The bot reaches people directly, but not those who refuse it."""
    user = await services.bot.fetch_user(services.member.id)
    await user.send("your trade was resent")
    services.agent.user.accepts_direct_messages = False
    with pytest.raises(discord.Forbidden) as refused:
        await (await services.bot.fetch_user(services.agent.id)).send("x")

    assert [message.content for message in services.server.direct_messages(services.member)] == [
        "your trade was resent"
    ]
    assert refused.value.code == 50007


async def test_guild_commands(services: Services):
    """Commands of one guild are found there and nowhere else, before global ones of the same name."""
    other = services.server.add_guild("Other")
    await services.server.gateway.announce(other)
    channel = other.add_channel("general")
    scope = discord.Object(services.guild.id)

    @app_commands.command(name="resend", description="Here")
    async def here(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("here")

    @app_commands.command(name="only", description="Here")
    async def only(interaction: discord.Interaction) -> None:
        raise NotImplementedError

    services.bot.tree.add_command(here, guild=scope)
    services.bot.tree.add_command(only, guild=scope)
    await services.bot.tree.sync(guild=scope)
    record = await services.server.slash(services.guild, services.channel, services.member, "resend")
    elsewhere = await services.server.slash(other, channel, other.owner, "resend", id="7")
    answers = [(await answered.finished()).message for answered in (record, elsewhere)]

    assert [answer and answer.content for answer in answers] == ["here", "7"]
    with pytest.raises(LookupError):
        await services.server.slash(other, channel, other.owner, "only")


def command(**changes: object) -> dict[str, object]:
    return {"name": "x", "description": "x"} | changes


def option(**changes: object) -> dict[str, object]:
    return {"name": "x", "description": "x", "type": 3} | changes


def choices(count: int, value: str = "v") -> list[dict[str, str]]:
    return [{"name": str(number), "value": value} for number in range(count)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([command(name="Upper")], id="name"),
        pytest.param([command(name="x" * 33, type=2)], id="menu name"),
        pytest.param([command(description="")], id="no description"),
        pytest.param([command(description="x" * 101)], id="description"),
        pytest.param([command(), command()], id="twice"),
        pytest.param([command(name=f"x{number}") for number in range(101)], id="commands"),
        pytest.param([command(options=[option(name="X")])], id="option name"),
        pytest.param([command(options=[option(name=f"x{number}") for number in range(26)])], id="options"),
        pytest.param([command(options=[option(), option(name="y", required=True)])], id="order"),
        pytest.param([command(options=[option(choices=choices(26))])], id="choices"),
        pytest.param([command(options=[option(choices=choices(25, "v" * 400))])], id="characters"),
        pytest.param([command(options=[option(type=1, options=[option(name="X")])])], id="sub-command"),
    ],
)
async def test_command_limits(discord_server: LoopbackDiscord, body: list[dict[str, object]]):
    """Commands that break a limit of Discord are refused with 50035, and nothing is synced."""
    async with BareBot() as bot:
        await bot.login(discord_server.token)
        before = discord_server.commands.names()
        with pytest.raises(discord.HTTPException) as refused:
            await bot.http.bulk_upsert_global_commands(discord_server.world.application_id, body)

    assert (refused.value.status, refused.value.code) == (400, 50035)
    assert discord_server.commands.names() == before


async def test_synced_again(services: Services):
    """A command keeps its id through later syncs."""
    before = {command["name"]: command["id"] for command in services.server.commands.listed()}
    await services.bot.tree.sync()

    assert {command["name"]: command["id"] for command in services.server.commands.listed()} == before
    assert {command.name for command in await services.bot.tree.fetch_commands()} == set(before)


async def test_unknown_route(discord_server: LoopbackDiscord):
    """A request to nowhere is 404, and the server remembers it."""
    async with BareBot() as bot:
        await bot.login(discord_server.token)
        with pytest.raises(discord.NotFound):
            await bot.fetch_invite("nothing")

    assert [(request.method, request.path) for request in discord_server.unknown_requests] == [
        ("GET", "/invites/nothing")
    ]


async def test_rate_limited(services: Services):
    """An injected 429 makes the client wait and come again; JSON is exactly application/json."""
    fault = services.server.faults.fail("POST", "/channels/*/messages", 429, retry_after=0.01)
    await services.bot.get_partial_messageable(services.channel.id).send("once")
    async with aiohttp.ClientSession() as session, session.get(f"{services.server.rest_base}/gateway") as response:
        unauthorised = response.status, response.headers["Content-Type"]

    assert fault.used == 1
    assert [request.status for request in services.server.requests_to("POST", "/channels/*/messages")] == [429, 200]
    assert [message.content for message in services.channel.messages] == ["once"]
    assert unauthorised == (401, "application/json")


async def test_answer_lost(services: Services):
    """A fault can strike before a request has its effect or after it."""
    channel = services.bot.get_partial_messageable(services.channel.id)
    for carried_out in (False, True):
        services.server.faults.drop("POST", f"/channels/{services.channel.id}/messages", carried_out=carried_out)
        with pytest.raises(aiohttp.ClientError):
            await channel.send(f"carried out: {carried_out}")
    services.server.faults.fail("POST", "/channels/*/messages", 403, code=50013, times=2)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("forbidden")
    with pytest.raises(discord.Forbidden):
        await channel.send("forbidden")
    await channel.send("fine")

    assert refused.value.code == 50013
    assert [message.content for message in services.channel.messages] == ["carried out: True", "fine"]
    assert [request.status for request in services.server.requests_to("POST", "/channels/*/messages")] == [
        None, None, 403, 403, 200,
    ]  # fmt: skip


async def test_connection_lost(services: Services):
    """After a lost connection the client resumes and gets what it missed."""
    services.server.gateway.drop()
    record = await services.server.slash(services.guild, services.channel, services.member, "resend", id="missed")
    await record.finished()

    assert record.message is not None
    assert record.message.content == "missed"
    assert (services.server.gateway.sessions_started, services.server.gateway.resumptions) == (1, 1)


async def test_reconnect_and_new_session(services: Services):
    """A client asked to reconnect resumes; one whose session is over identifies itself again."""
    gateway = services.server.gateway
    await gateway.ask_to_reconnect()
    await services.server.until(lambda: gateway.resumptions == 1)
    await gateway.invalidate()
    await services.server.until(lambda: gateway.sessions_started == 2)
    record = await services.server.slash(services.guild, services.channel, services.member, "resend", id="after")

    await record.finished()
    assert gateway.heartbeats >= 3


async def test_bot_leaves(discord_server: LoopbackDiscord):
    """Nobody answers for a bot that has left, and its successor is not told of what it missed."""
    guild = discord_server.add_guild()
    channel = guild.add_channel("support")
    discord_server.commands.sync([command()])
    with pytest.raises(NoBot):
        await discord_server.slash(guild, channel, guild.owner, "x")
    async with running(BareBot(), discord_server.token):
        await discord_server.ready()
    await discord_server.until(lambda: not discord_server.gateway.is_connected)
    missed = await discord_server.slash(guild, channel, guild.owner, "resend", id="1")
    async with running(BareBot(), discord_server.token):
        await discord_server.ready()
        answered = await discord_server.slash(guild, channel, guild.owner, "resend", id="2")
        await answered.finished()

    assert missed.callback is None


async def test_condition(discord_server: LoopbackDiscord):
    """A condition is asked until it is met, its own error reaches the test that waits, and an unmet one times out."""
    answers = [0, 0, 3]
    assert await discord_server.until(lambda: answers.pop(0)) == 3
    with pytest.raises(IndexError):
        await discord_server.until(lambda: answers.pop(0))
    with pytest.raises(TimeoutError):
        await discord_server.until(lambda: False, 0.01)


async def test_server_broken(monkeypatch: pytest.MonkeyPatch):
    """A mistake of the server's own does not pass for an answer of Discord."""
    monkeypatch.setattr(Interactions, "acknowledge", lambda *_: 1 / 0)
    with pytest.raises(ExceptionGroup) as broken:
        async with LoopbackDiscord() as server, aiohttp.ClientSession() as session:
            await session.post(f"{server.rest_base}/interactions/1/token/callback", json={"type": 5})

    assert broken.group_contains(ZeroDivisionError)


async def test_burst(services: Services):
    """A burst of commands is told apart: each gets its own answer, none is lost."""
    records = await asyncio.gather(
        *(
            services.server.slash(services.guild, services.channel, services.member, "resend", id=str(n))
            for n in range(200)
        )
    )
    await asyncio.gather(*(record.finished() for record in records))

    assert [record.message and record.message.content for record in records] == [str(n) for n in range(200)]
    assert services.bot.failures == []
