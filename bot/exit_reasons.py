"""Puts the error that ended a run into an exit code and a message."""

from textwrap import shorten

import aiohttp
import discord

from bot.config_loading import printable
from bot.database_reasons import database_reason
from bot.exit_codes import ExitCode
from bot.http.address import AddressUnusable
from bot.services.guilds import GuildsNotNamed
from bot.storage.errors import BackupNotWritten, DatabaseInUse, StorageError

DISCORD_GONE = (
    OSError,
    aiohttp.ClientError,  # discord.py does not wrap its HTTP library's errors
    discord.HTTPException,
    discord.LoginFailure,
    discord.GatewayNotFound,
    discord.ConnectionClosed,
)


def exit_reason(error: Exception) -> tuple[ExitCode, str]:
    """Return the exit code and the message for an error that ended the run."""
    code = ExitCode.UNAVAILABLE
    match error:
        case DatabaseInUse():
            code = ExitCode.DATABASE_IN_USE
            message = f"another SkinDesk uses the database {error.path}: stop it first, or set another database.path"
        case BackupNotWritten():
            code = ExitCode.CANNOT_CREATE
            message = (
                f"the database is as it was: it needs an upgrade, and the copy before that cannot be written to "
                f"{error.path} ({error.reason}): make room in its folder and start again"
            )
        case StorageError():
            code, message = database_reason(error)
        case AddressUnusable():
            message = f"{error.address} cannot be listened on ({error.reason}): free it, or set another {error.setting}"
        case GuildsNotNamed():
            code = ExitCode.CONFIG
            named = ", ".join(
                f"{number} ({printable(name or 'not in it any more')})" for number, name in error.guilds.items()
            )
            message = (
                "SkinDesk could serve several servers, and discord.guild_ids (SKINDESK_DISCORD__GUILD_IDS) names none: "
                f"name those that this desk serves, which belong to one merchant. It knows {named}"
            )
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):  # from REST and from the gateway
            code = ExitCode.CONFIG
            message = "Discord refused discord.token: copy it again from the application's Bot page"
        case discord.Forbidden():
            code = ExitCode.CONFIG
            message = (
                "Discord does not let SkinDesk register its commands: invite it to all of discord.command_guild_ids"
            )
        case discord.HTTPException(status=status) if 400 <= status < 500 and status != 429:  # noqa: PLR2004 -- HTTP's
            asked = "the commands" if error.response.url.path.endswith("/commands") else "a request of the start"
            message = f"Discord refused {asked}: HTTP {status}, code {error.code} ({shorten(error.text, 300)})"
        case _:
            message = f"Discord cannot be reached ({type(error).__name__}): look at the network and discordstatus.com"
    return code, message
