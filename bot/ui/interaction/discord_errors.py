"""Tells from an error of discord.py whether an answer may have arrived, or may succeed later."""

import traceback

import discord

UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
"""The first answer was too late, or another process sent it: Discord accepts no more."""
ALREADY_ACKNOWLEDGED = 40060
"""Discord has a first answer: ours, which discord.py sent again as its confirmation was lost, or another process's."""

_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_HTTP_MODULES = frozenset({"discord.http", "discord.webhook.async_"})


class AnsweredElsewhere(Exception):
    """Another process has answered the interaction; nothing of this one may take the place of its answer."""


def code_of(error: BaseException) -> int | None:
    """Return Discord's code of an error."""
    return error.code if isinstance(error, discord.HTTPException) else None


def may_pass(error: BaseException) -> bool:
    """Return whether Discord may accept the same answer later: it was unreachable or overloaded."""
    if isinstance(error, discord.HTTPException):
        return _is_discords(error)
    # discord.py lets errors of aiohttp through, and not all of them are OSError.
    return not isinstance(error, TypeError | ValueError | discord.DiscordException)


def may_be_delivered(error: BaseException) -> bool:
    """Return whether Discord may have accepted a first answer that ended in this error or was cancelled."""
    return may_pass(error) or code_of(error) == ALREADY_ACKNOWLEDGED


def is_trouble_of_discord(error: BaseException) -> bool:
    """Return whether Discord is overloaded, broken or not reachable, and no one here has made a mistake."""
    if isinstance(error, discord.HTTPException):
        return _is_discords(error)
    # discord.py lets errors of its HTTP library and of the network through; nothing else here uses that library.
    if isinstance(error, discord.RateLimited) or type(error).__module__.partition(".")[0] == "aiohttp":
        return True
    return isinstance(error, OSError) and any(
        frame.f_globals.get("__name__") in _HTTP_MODULES for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def _is_discords(error: discord.HTTPException) -> bool:
    return error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS
