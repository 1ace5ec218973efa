"""What the simulated Discord's people have as their own language."""

from gettext import NullTranslations
from typing import Any

import discord
import pytest

from bot.languages import LANGUAGES


class Marked(NullTranslations):
    """The messages of a made-up language: in English, with a mark."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self._mark = mark

    def gettext(self, message: str) -> str:
        return f"{self._mark}: {message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


def mark(patch: pytest.MonkeyPatch, *codes: str) -> None:
    """Let these languages have each message in English, marked with their code."""
    for code in codes:
        patch.setitem(LANGUAGES[code].__dict__, "messages", Marked(code))


def read_in(patch: pytest.MonkeyPatch, locale: str) -> None:
    """Let all people have this locale of Discord from now on; SimCord's have en-US."""
    receive = discord.Interaction._from_data

    def received(self: discord.Interaction[discord.Client], data: Any) -> None:
        receive(self, data | {"locale": locale})

    patch.setattr(discord.Interaction, "_from_data", received)
