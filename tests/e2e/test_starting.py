"""What keeps the program from starting, or from going on: one readable line, and an exit code that says what it is."""

import pytest

from bot.exit_codes import ExitCode
from tests.e2e.desk import STOPS_WITHIN, LiveDesk
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


async def test_database_in_use(services: LiveDesk):
    """A second process on the same database leaves the first one alone and says so in one line."""
    async with services.bot() as first:
        await first.wait_ready()
        async with services.bot() as second:
            assert str(services.database.name) in await the_one_error(second, ExitCode.DATABASE_IN_USE)
            assert len(second.stderr_lines) == 1
        await services.set_up()
        assert await first.terminate() == ExitCode.OK
    assert services.server.gateway.sessions_started == 1
    services.assert_sound()


async def test_token_refused(services: LiveDesk):
    """A token that Discord refuses is named by its setting, not by its value."""
    async with services.bot(discord__token=OTHER_TOKEN) as bot:
        assert "discord.token" in await the_one_error(bot, ExitCode.CONFIG)
        assert OTHER_TOKEN not in bot.stderr


async def test_token_refused_by_gateway(services: LiveDesk):
    """A token that is replaced ends the program in the same way the next time it has to identify itself."""
    services.server.gateway._token = OTHER_TOKEN
    async with services.bot() as bot:
        assert "discord.token" in await the_one_error(bot, ExitCode.CONFIG)


async def test_guild_without_bot(services: LiveDesk):
    """Commands for a server that the bot is not in are a mistake in the configuration."""
    async with services.bot(discord__command_guild_ids="123456789012345678") as bot:
        assert "discord.command_guild_ids" in await the_one_error(bot, ExitCode.CONFIG)


async def test_discord_unreachable(services: LiveDesk, unused_tcp_port: int):
    """Where Discord cannot be reached the program ends, for whoever supervises it to start it again."""
    services.server.rest_base = f"http://127.0.0.1:{unused_tcp_port}/api/v10"
    async with services.bot() as bot:
        assert "Discord" in await the_one_error(bot, ExitCode.UNAVAILABLE)


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/@me"), ("PUT", "/applications/*/commands")])
async def test_discord_drops_the_connection(services: LiveDesk, method: str, path: str):
    """A connection that Discord drops is told like one that does not come about."""
    services.server.faults.drop(method, path, times=9)
    async with services.bot() as bot:
        line = await the_one_error(bot, ExitCode.UNAVAILABLE)
        assert "Discord cannot be reached (ServerDisconnectedError)" in line


async def test_commands_refused(services: LiveDesk):
    """Where Discord takes the commands no more, say because there were too many new ones today, it says that."""
    services.server.faults.fail("PUT", "/applications/*/commands", 400, code=30034)
    async with services.bot() as bot:
        line = await the_one_error(bot, ExitCode.UNAVAILABLE)
        assert "Discord refused the commands: HTTP 400, code 30034" in line


async def test_no_room_for_the_copy_before_an_upgrade(services: LiveDesk):
    """An old database is not upgraded without a copy of it: one line says where room is needed."""
    made_of(FOLDER / "first.sql", services.database)
    before = services.database.read_bytes()
    async with services.bot(program=WITHOUT_ROOM) as bot:
        line = await the_one_error(bot, ExitCode.CANNOT_CREATE)
        assert "No space left on device" in line
        assert "skindesk.db.before-0002-" in line
    assert services.database.read_bytes()[100:] == before[100:]
    async with services.bot() as bot:
        await bot.wait_ready()
        assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK
    assert [path for path in services.folder.iterdir() if ".before-0002-" in path.name]
