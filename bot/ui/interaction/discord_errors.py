"""Tells from an error of discord.py whether an answer may have arrived, or may succeed later."""

import discord

UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
"""The first answer was too late, or another process sent it: Discord accepts no more."""
ALREADY_ACKNOWLEDGED = 40060
"""Discord has a first answer; discord.py may send one twice if a confirmation is lost."""

_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


def code_of(error: BaseException) -> int | None:
    """Return Discord's code of an error."""
    return error.code if isinstance(error, discord.HTTPException) else None


def may_pass(error: BaseException) -> bool:
    """Return whether Discord may accept the same answer later: it was unreachable or overloaded."""
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS
    # discord.py lets errors of aiohttp through, and not all of them are OSError.
    return not isinstance(error, TypeError | ValueError | discord.DiscordException)


def may_be_delivered(error: BaseException) -> bool:
    """Return whether Discord may have accepted a first answer that ended in this error or was cancelled."""
    return may_pass(error) or code_of(error) == ALREADY_ACKNOWLEDGED
