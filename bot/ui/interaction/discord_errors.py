"""What an error of discord.py says about the delivery of an answer."""

import asyncio

import discord

_UNKNOWN_MESSAGE = 10008
_UNKNOWN_INTERACTION = 10062
_ALREADY_ACKNOWLEDGED = 40060
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


def may_pass(error: BaseException) -> bool:
    """Return whether Discord may accept the same answer later: it was unreachable or overloaded."""
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS
    # discord.py lets errors of aiohttp through, and not all of them are OSError.
    return not isinstance(error, TypeError | ValueError | discord.DiscordException)


def is_already_acknowledged(error: BaseException) -> bool:
    """Return whether Discord has a first answer; discord.py may send one twice if a confirmation is lost."""
    return isinstance(error, discord.HTTPException) and error.code == _ALREADY_ACKNOWLEDGED


def may_be_delivered(error: BaseException) -> bool:
    """Return whether Discord may have accepted a first answer that ended in this error."""
    return may_pass(error) or is_already_acknowledged(error) or isinstance(error, asyncio.CancelledError)


def is_unknown_interaction(error: BaseException) -> bool:
    """Return whether Discord accepts no answer: the first one was too late, or another process sent it."""
    return isinstance(error, discord.NotFound) and error.code == _UNKNOWN_INTERACTION


def is_unknown_message(error: BaseException) -> bool:
    """Return whether the message to edit is gone."""
    return isinstance(error, discord.NotFound) and error.code == _UNKNOWN_MESSAGE
