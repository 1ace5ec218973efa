"""What the simulated Discord's people have as their own language."""

from typing import Any

import discord
import pytest

from bot.languages import LANGUAGES
from tests.support.made_up import Saying


def mark(patch: pytest.MonkeyPatch, *codes: str) -> None:
    """Let these languages have each message in English, marked with their code."""
    for code in codes:
        patch.setitem(LANGUAGES[code].__dict__, "messages", Saying(f"{code}: {{}}".format))


def read_in(patch: pytest.MonkeyPatch, locale: str) -> None:
    """Let all people have this locale of Discord from now on; SimCord's have en-US."""
    receive = discord.Interaction._from_data

    def received(self: discord.Interaction[discord.Client], data: Any) -> None:
        receive(self, data | {"locale": locale})

    patch.setattr(discord.Interaction, "_from_data", received)
