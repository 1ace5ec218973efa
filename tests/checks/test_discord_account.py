"""The checks of the bot's account on Discord."""

from typing import NoReturn

import discord
import pytest

from bot.checks import discord_account
from bot.checks.discord_account import check_discord
from bot.checks.findings import Channels, Finding, Level
from bot.config_loading import load_settings
from tests.support.discord_server import LoopbackDiscord
from tests.support.loopback_discord.guilds import Channel, Guild

COMMAND = {"name": "status", "description": "how it is", "type": 1}


@pytest.fixture
def guild(server: LoopbackDiscord) -> Guild:
    return server.add_guild()


@pytest.fixture
def approvals(guild: Guild) -> Channel:
    return guild.add_channel("approvals")


async def found(
    server: LoopbackDiscord,
    *channels: Channels,
    token: str | None = None,
    command_guild_ids: str = "",
    guild_ids: str = "",
    shards: str = "",
) -> dict[str, Finding]:
    settings = load_settings(
        None,
        {
            "SKINDESK_DISCORD__TOKEN": token or server.token,
            "SKINDESK_DISCORD__COMMAND_GUILD_IDS": command_guild_ids,
            "SKINDESK_DISCORD__GUILD_IDS": guild_ids,
            "SKINDESK_DISCORD__SHARDS": shards,
            "SKINDESK_DATABASE__URL": "postgresql://host/name" if shards else "",
        },
    )
    findings = await check_discord(settings, channels, lambda _: None)
    assert {request.method for request in server.requests} <= {"GET"}
    return {finding.id: finding for finding in findings}


def levels(findings: dict[str, Finding]) -> dict[str, Level]:
    return {name: finding.level for name, finding in findings.items() if finding.level is not Level.OK}


async def test_new(server: LoopbackDiscord):
    """A bot in no server gets a finding with the invitation."""
    findings = await found(server)

    assert levels(findings) == {"discord.guilds": Level.WARNING, "discord.commands": Level.WARNING}
    assert "permissions=19456" in str(findings["discord.guilds"].fix)


async def test_token(server: LoopbackDiscord):
    """A wrong token is the only finding, and its value is not in it."""
    [finding] = (await found(server, token="canary.of.a.token")).values()

    assert (finding.level, finding.key, finding.is_unreachable) == (Level.PROBLEM, "discord.token", False)
    assert "canary" not in finding.line()


async def test_no_discord(server: LoopbackDiscord):
    """If Discord does not answer, that is the only finding."""
    server.faults.drop("GET", "/users/@me", times=10)

    [finding] = (await found(server)).values()

    assert finding.is_unreachable


async def test_page_of_another_server(server: LoopbackDiscord):
    """A page of Cloudflare is named as what it is, also with the status of a refused token."""
    server.faults.show("GET", "/users/@me", 401, "<title>Access denied</title>", times=9, server="cloudflare")

    [finding] = (await found(server)).values()

    assert finding.is_unreachable
    assert "Cloudflare, which stands before Discord" in finding.what


async def test_application(server: LoopbackDiscord, guild: Guild):
    """Wrong settings in the developer portal are findings."""
    server.world.application_settings = {
        "interactions_endpoint_url": "https://elsewhere.example.com",
        "bot_public": True,
        "flags": 1 << 15 | 1 << 19,
    }

    findings = await found(server)

    assert findings["discord.application.endpoint"].level is Level.PROBLEM
    assert findings["discord.application.public"].level is Level.WARNING
    assert "gateway_guild_members, gateway_message_content" in findings["discord.application.intents"].what


@pytest.mark.parametrize(
    ("shards", "guilds", "level"),
    [
        ("", 9_000, Level.OK),
        ("0-3/8", 1, Level.OK),
        ("0-1/2", 4_999, Level.WARNING),
        ("0-1/2", 5_000, Level.PROBLEM),
    ],
)
async def test_shards(server: LoopbackDiscord, shards: str, guilds: int, level: Level):
    """Fewer shards than Discord recommends are a warning, and a problem once it refuses to connect them."""
    server.world.shards = 8
    server.world.application_settings = {"approximate_guild_count": guilds}

    finding = (await found(server, shards=shards))["discord.shards"]

    assert finding.level is level
    assert "Discord recommends 8" in finding.what


async def test_guild_without_bot(server: LoopbackDiscord, guild: Guild):
    """A configured server without the bot is a problem of the configuration."""
    findings = await found(server, command_guild_ids=f"{guild.id},123456789012345678")

    absent = findings["discord.guilds.absent"]
    assert (absent.level, absent.key) == (Level.PROBLEM, "discord.command_guild_ids")
    served = (await found(server, guild_ids=f"{guild.id},123456789012345678"))["discord.guilds.absent"]
    assert (served.level, served.key) == (Level.PROBLEM, "discord.guild_ids")
    assert "123456789012345678" in absent.what
    assert str(guild.id) not in absent.what


async def test_served(server: LoopbackDiscord, guild: Guild):
    """What a start would refuse is a problem with the servers' names; a server that is not served is a warning."""
    other = server.add_guild("Else*where\x1b")

    undecided = (await found(server))["discord.guilds.first"]
    by_name = await found(server, guild_ids=str(guild.id))
    first_is_gone = await found(server, Channels(99, None, None, is_first=True))
    first = await found(server, Channels(guild.id, None, None, is_first=True))
    with_data = await found(server, Channels(99, None, None), guild_ids="")

    assert (undecided.level, undecided.key) == (Level.PROBLEM, "discord.guild_ids")
    assert f"{guild.id} (Skins), {other.id} (Else*where\\x1b)" in undecided.what
    assert by_name["discord.guilds.unserved"].level is Level.WARNING
    assert str(other.id) in by_name["discord.guilds.unserved"].what
    assert str(other.id) not in by_name["discord.channels"].what
    assert "discord.guilds.first" not in by_name.keys() | first.keys()
    assert first_is_gone["discord.guilds.first"].level is Level.PROBLEM
    assert "99 (not in it any more)" in with_data["discord.guilds.first"].what


async def test_commands_twice(server: LoopbackDiscord, guild: Guild):
    """Global commands beside those of a server would be listed twice."""
    server.commands.sync([COMMAND], None)

    findings = await found(server, command_guild_ids=str(guild.id))
    assert "none are registered in server" in findings["discord.commands"].what


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (discord.Permissions(view_channel=True), "may not see"),
        (discord.Permissions(send_messages=True, embed_links=True), "lacks Send Messages, Embed Links"),
        (None, "does not exist"),
    ],
)
async def test_channels(
    server: LoopbackDiscord, guild: Guild, approvals: Channel, lacking: discord.Permissions | None, said: str
):
    """A channel that is deleted or closed is a problem that names the missing permissions."""
    audit = guild.add_channel("audit")
    if lacking is None:
        guild.channels.remove(approvals)
    else:
        denied = {"id": str(guild.bot_role.id), "type": 0, "allow": "0", "deny": str(lacking.value)}
        approvals.overwrites.append(denied)

    findings = await found(server, Channels(guild.id, approvals.id, audit.id))

    closed = findings["discord.channels.approvals"]
    assert (closed.level, closed.is_unreachable) == (Level.PROBLEM, True)
    assert said in closed.what
    assert str(approvals.id) in closed.what
    assert findings["discord.channels.audit"].level is Level.OK


async def test_part_that_fails(
    server: LoopbackDiscord, guild: Guild, approvals: Channel, monkeypatch: pytest.MonkeyPatch
):
    """A check that raises is a finding, and the others run."""

    async def failing(*_: object) -> NoReturn:
        raise UnicodeError

    monkeypatch.setattr(discord_account, "_channels", failing)

    findings = await found(server, Channels(guild.id, approvals.id, None))

    assert findings["discord.guilds"].what == "SkinDesk failed to check it (UnicodeError)"
    assert "discord.commands" in findings


async def test_part_refused(server: LoopbackDiscord, guild: Guild):
    """A request that Discord refuses is a finding, and the others are sent."""
    server.faults.fail("GET", "/users/@me/guilds", 403)

    findings = await found(server)

    assert findings["discord.guilds"].is_unreachable
    assert "discord.commands" in findings
