"""What an error says about the answer to Discord that met it."""

from typing import TypeGuard

import discord

_UNKNOWN_MESSAGE = 10008
_UNKNOWN_INTERACTION = 10062
_ALREADY_ACKNOWLEDGED = 40060
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


def may_pass(error: Exception) -> bool:
    """Say whether Discord may take the same answer later: it was not reached, or it had too much to do."""
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS
    # discord.py lets the errors of its HTTP library through, which are no OSError all of them.
    return not isinstance(error, TypeError | ValueError | discord.DiscordException)


def is_already_acknowledged(error: Exception) -> bool:
    """Say whether Discord has had a first answer: discord.py asks again where a confirmation got lost."""
    return isinstance(error, discord.HTTPException) and error.code == _ALREADY_ACKNOWLEDGED


def may_have_got_there(error: Exception) -> bool:
    """Say whether Discord may have taken a first answer, or an earlier one, although it ended in this error."""
    return may_pass(error) or is_already_acknowledged(error)


def is_unknown_interaction(error: Exception) -> TypeGuard[discord.NotFound]:
    """Say whether Discord takes no answer any more: the first one came too late, or somebody else gave it."""
    return isinstance(error, discord.NotFound) and error.code == _UNKNOWN_INTERACTION


def is_unknown_message(error: Exception) -> bool:
    """Say whether the message that was to be edited is gone."""
    return isinstance(error, discord.NotFound) and error.code == _UNKNOWN_MESSAGE
