"""The language of a server: what all its members read, such as cards, audit posts and reminders."""

from typing import Protocol, cast

import discord

from bot.languages import Language, of_code, of_locale
from bot.services.container import Services


class _ClientWithServices(Protocol):
    services: Services


async def server_language(client: discord.Client, guild_id: int) -> Language:
    """Return the language that was set for a server, or else the one that it has on Discord."""
    code = await cast(_ClientWithServices, client).services.settings.language_of(guild_id)
    if code is not None:
        return of_code(code)
    guild = client.get_guild(guild_id)
    return of_locale(str(guild.preferred_locale) if guild is not None else "")
