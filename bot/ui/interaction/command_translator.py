"""Commands in every language of Discord that SkinDesk has: descriptions and choices."""

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Place

from bot.languages import ENGLISH, in_language, of_locale, t

_NAMES = frozenset({Place.command_name, Place.group_name, Place.parameter_name})
"""Names stay English: texts and documents quote them."""


class CommandTranslator(app_commands.Translator):
    """Translates what is in the catalogues; Discord shows everything else in English."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return a text of a command in one of Discord's languages; None if it stays English."""
        if context.location in _NAMES or (language := of_locale(locale.value)) is ENGLISH:
            return None
        with in_language(language):
            text = t(string.message)
        return None if text == string.message else text
