"""What keeps the program from starting, or from going on: one readable line, and an exit code that says what it is."""

import pytest

from bot.exit_codes import ExitCode
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot
from tests.storage.released import FOLDER, made_of
from tests.support.bot_process import RUN, BotProcess

OTHER_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Secret.canary-canary-canary-canary-canary-ca"

WITHOUT_ROOM = f"""
import os, pathlib
def full(*_):
    raise OSError(28, "No space left on device")
os.link = pathlib.Path.rename = full
{RUN}"""


async def the_one_error(bot: BotProcess, code: ExitCode) -> str:
    """Wait for the end and return the only line that is an error."""
    assert await bot.wait(30.0) == code
    assert "Traceback" not in bot.stderr
    [line] = [line for line in bot.stderr_lines if " ERROR " in line or " CRITICAL " in line]
    return line


async def test_database_in_use(live: LiveBot):
    """A second process on the same database leaves the first one alone and says so in one line."""
    async with live.bot() as first:
        await first.wait_ready()
        async with live.bot() as second:
            assert str(live.database.name) in await the_one_error(second, ExitCode.DATABASE_IN_USE)
            assert len(second.stderr_lines) == 1
        await live.set_up()
        assert await first.terminate() == ExitCode.OK
    assert live.server.gateway.sessions_started == 1
    live.assert_sound()


async def test_token_refused(live: LiveBot):
    """A token that Discord refuses is named by its setting, not by its value."""
    async with live.bot(discord__token=OTHER_TOKEN) as bot:
        assert "discord.token" in await the_one_error(bot, ExitCode.CONFIG)
        assert OTHER_TOKEN not in bot.stderr


async def test_token_refused_by_gateway(live: LiveBot):
    """A token that is replaced ends the program in the same way the next time it has to identify itself."""
    live.server.gateway._token = OTHER_TOKEN
    async with live.bot() as bot:
        assert "discord.token" in await the_one_error(bot, ExitCode.CONFIG)


async def test_guild_without_bot(live: LiveBot):
    """Commands for a server that the bot is not in are a mistake in the configuration."""
    async with live.bot(discord__command_guild_ids="123456789012345678") as bot:
        assert "discord.command_guild_ids" in await the_one_error(bot, ExitCode.CONFIG)


async def test_discord_unreachable(live: LiveBot, unused_tcp_port: int):
    """Where Discord cannot be reached the program ends, for whoever supervises it to start it again."""
    live.server.api_base = f"http://127.0.0.1:{unused_tcp_port}/api/v10"
    async with live.bot() as bot:
        assert "Discord" in await the_one_error(bot, ExitCode.UNAVAILABLE)


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/@me"), ("PUT", "/applications/*/commands")])
async def test_discord_drops_the_connection(live: LiveBot, method: str, path: str):
    """A connection that Discord drops is told like one that does not come about."""
    live.server.faults.drop(method, path, times=9)
    async with live.bot() as bot:
        line = await the_one_error(bot, ExitCode.UNAVAILABLE)
        assert "Discord cannot be reached (ServerDisconnectedError)" in line


async def test_commands_refused(live: LiveBot):
    """Where Discord takes the commands no more, say because there were too many new ones today, it says that."""
    live.server.faults.fail("PUT", "/applications/*/commands", 400, code=30034)
    async with live.bot() as bot:
        line = await the_one_error(bot, ExitCode.UNAVAILABLE)
        assert "Discord refused the commands: HTTP 400, code 30034" in line


async def test_no_room_for_the_copy_before_an_upgrade(live: LiveBot):
    """An old database is not upgraded without a copy of it: one line says where room is needed."""
    made_of(FOLDER / "first.sql", live.database)
    before = live.database.read_bytes()
    async with live.bot(program=WITHOUT_ROOM) as bot:
        line = await the_one_error(bot, ExitCode.CANNOT_CREATE)
        assert "No space left on device" in line
        assert "skindesk.db.before-0002-" in line
    assert live.database.read_bytes()[100:] == before[100:]
    async with live.bot() as bot:
        await bot.wait_ready()
        assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK
    assert [path for path in live.folder.iterdir() if ".before-0002-" in path.name]
