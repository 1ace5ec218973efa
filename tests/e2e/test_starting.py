"""A start that fails ends with one readable line and its exit code."""

import pytest

from bot.exit_codes import ExitCode
from bot.storage.sqlite.database import SqliteDatabase
from bot.storage.sqlite.schema import bundled
from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.bot_process import RUN, BotProcess

OTHER_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Secret.canary-canary-canary-canary-canary-ca"

UPGRADED = f"""
import bot.storage.sqlite.database as database
from bot.storage.sqlite.schema import Migration, bundled
steps = (*bundled(), Migration(len(bundled()) + 1, "0099_more.sql", "CREATE TABLE more (n INTEGER) STRICT;"))
database.bundled = lambda: steps
{RUN}"""

WITHOUT_ROOM = f"""
import os, pathlib
def full(*_):
    raise OSError(28, "No space left on device")
os.link = pathlib.Path.rename = full
{UPGRADED}"""


async def the_one_error(bot: BotProcess, code: ExitCode) -> str:
    """Wait for the end and return the only error line."""
    assert await bot.wait(30.0) == code
    assert "Traceback" not in bot.stderr
    [line] = [line for line in bot.stderr_lines if " ERROR " in line or " CRITICAL " in line]
    return line


async def test_database_in_use(live: LiveBot):
    """A second process on the same database exits with one line and does not disturb the first."""
    async with live.bot() as first:
        await first.wait_ready()
        async with live.bot() as second:
            assert str(live.database.name) in await the_one_error(second, ExitCode.DATABASE_IN_USE)
            assert len(second.stderr_lines) == 1
        await live.set_up()
        assert await first.terminate() == ExitCode.OK
    assert live.server.gateway.sessions_started == 1
    live.assert_sound()


@pytest.mark.parametrize("by_gateway", [False, True])
async def test_token_refused(live: LiveBot, *, by_gateway: bool):
    """A refused token is reported by its setting, without its value."""
    if by_gateway:
        live.server.gateway._token = OTHER_TOKEN
    async with live.bot(**({} if by_gateway else {"discord__token": OTHER_TOKEN})) as bot:
        assert "discord.token" in await the_one_error(bot, ExitCode.CONFIG)
        assert OTHER_TOKEN not in bot.stderr
        assert live.server.token not in bot.stderr


async def test_guild_without_bot(live: LiveBot):
    """Commands for a guild without the bot are a configuration error."""
    async with live.bot(discord__command_guild_ids="123456789012345678") as bot:
        assert "discord.command_guild_ids" in await the_one_error(bot, ExitCode.CONFIG)


async def test_several_guilds(live: LiveBot):
    """With several servers, or data of several, and none named there is no start; all of them are listed."""
    other = live.server.add_guild("Else\nwhere")
    async with live.bot() as bot:
        line = await the_one_error(bot, ExitCode.CONFIG)
    assert "discord.guild_ids (SKINDESK_DISCORD__GUILD_IDS)" in line
    assert f"{live.guild.id} (Skin Market), {other.id} (Else\\nwhere)" in line

    async with live.running(discord__guild_ids=f"{live.guild.id},{other.id}"):
        desk = other.add_channel("desk")
        record = await live.server.slash(other, desk, other.owner, "access list")
        assert "Who may do what" in answer_of(await record.finished()).text
    live.server.world.guilds.pop(other.id)
    async with live.bot() as bot:
        assert f"{other.id} (not in it any more)" in await the_one_error(bot, ExitCode.CONFIG)


async def test_first_guild(live: LiveBot):
    """The first server is remembered; without the bot it is still the one that is served, until others are named."""
    async with live.running():
        pass
    other = live.server.add_guild("Elsewhere")
    desk = other.add_channel("desk")
    live.server.world.guilds.pop(live.guild.id)
    for named, answer in (("", "This desk serves another server"), (str(other.id), "Who may do what")):
        async with live.running(set_up=False, discord__guild_ids=named) as bot:
            record = await live.server.slash(other, desk, other.owner, "access list")
            assert answer in answer_of(await record.finished()).text
            if not named:
                await bot.wait_line(f"not in a server that is served guild={live.guild.id}")


async def test_discord_unreachable(live: LiveBot, unused_tcp_port: int):
    """The program ends if Discord cannot be reached; its supervisor starts it again."""
    live.server.api_base = f"http://127.0.0.1:{unused_tcp_port}/api/v10"
    async with live.bot() as bot:
        assert "Discord" in await the_one_error(bot, ExitCode.UNAVAILABLE)


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/@me"), ("PUT", "/applications/*/commands")])
async def test_discord_drops_the_connection(live: LiveBot, method: str, path: str):
    """A dropped connection is reported like a refused one."""
    live.server.faults.drop(method, path, times=9)
    async with live.bot() as bot:
        line = await the_one_error(bot, ExitCode.UNAVAILABLE)
        assert "Discord cannot be reached (ServerDisconnectedError)" in line


async def test_commands_refused(live: LiveBot):
    """Refused commands are reported with Discord's error code."""
    live.server.faults.fail("PUT", "/applications/*/commands", 400, code=30034)
    async with live.bot() as bot:
        line = await the_one_error(bot, ExitCode.UNAVAILABLE)
        assert "Discord refused the commands: HTTP 400, code 30034" in line


async def test_no_room_for_the_copy_before_an_upgrade(live: LiveBot):
    """An old database is not upgraded without a backup copy: one line names the path that needs room."""
    async with SqliteDatabase.open(live.database):
        pass
    before = live.database.read_bytes()
    async with live.bot(program=WITHOUT_ROOM) as bot:
        line = await the_one_error(bot, ExitCode.CANNOT_CREATE)
        assert "No space left on device" in line
        assert f"skindesk.db.before-{len(bundled()) + 1:04}-" in line
    assert live.database.read_bytes()[100:] == before[100:]
    async with live.running(program=UPGRADED, set_up=False):
        pass
    assert [path for path in live.folder.iterdir() if f".before-{len(bundled()) + 1:04}-" in path.name]
