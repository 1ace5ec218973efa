"""The language of a server: what all its members read, such as cards, audit posts and reminders. Also a reader's."""

from typing import Protocol, cast

import discord

from bot.languages import Language, of_code, of_locale
from bot.services.container import Services
from bot.services.keyed_tasks import call_within

_WITHIN = 0.5
"""Seconds that an answer waits for the server's language: Discord waits three for the answer."""


class _ClientWithServices(Protocol):
    services: Services


async def server_language(client: discord.Client, guild_id: int) -> Language:
    """Return the language that was set for a server, or else the one that it has on Discord."""
    code = await cast(_ClientWithServices, client).services.settings.language_of(guild_id)
    if code is not None:
        return of_code(code)
    guild = client.get_guild(guild_id)
    return of_locale(guild.preferred_locale.value if guild is not None else "")


async def reader_language(client: discord.Client, guild_id: int, locale: discord.Locale) -> Language:
    """Return the language of a reader on a server, in the version that the server speaks.

    If the database does not tell the server's in time, the reader gets the one of their locale.
    """
    try:
        server = await call_within(_WITHIN, server_language(client, guild_id))
    except Exception:  # noqa: BLE001 -- no answer may fail because of its language
        server = None
    return of_locale(locale.value, server)
