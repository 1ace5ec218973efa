"""Puts the error that ended a run into an exit code and a message."""

from dataclasses import dataclass

from bot.config_loading import printable
from bot.database_reasons import database_reason
from bot.discord_faults import discord_fault
from bot.exit_codes import ExitCode
from bot.http.address import AddressUnusable
from bot.services.guilds import GuildsNotNamed
from bot.storage.errors import BackupNotWritten, DatabaseInUse, StorageError


@dataclass(frozen=True, slots=True)
class ExitReason:
    """Why a run ends. ``retry_after`` are the seconds to wait before the next one."""

    code: ExitCode
    message: str
    retry_after: float = 0.0


def exit_reason(error: Exception) -> ExitReason | None:
    """Return the exit code and the message for an error that ended the run; None for one that is not known."""
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
        case _:
            fault = discord_fault(error)
            if fault is None:
                return None
            return ExitReason(ExitCode.CONFIG if fault.is_permanent else code, fault.what, fault.retry_after or 0.0)
    return ExitReason(code, message)
