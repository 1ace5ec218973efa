"""Odd locales, and languages whose files are broken or gone: each interaction is answered all the same."""

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.demo.scene import Scene
from bot.domain.errors import DatabaseUnavailable
from bot.domain.health import DatabaseFault
from bot.languages import LANGUAGES
from bot.languages.language import FOLDER, found_in
from bot.services.settings import SettingsService
from bot.ui.interaction.server_language import reader_language
from tests.cogs.approvals import face, failed_trade, newest_card
from tests.cogs.test_access import owner_of
from tests.cogs.test_settings import say
from tests.support.readers import mark
from tests.support.seen import text_of


def read_raw(patch: pytest.MonkeyPatch, locale: object) -> None:
    """Let all people's interactions come with this locale, or without one."""
    receive = discord.Interaction._from_data

    def received(self: discord.Interaction[discord.Client], data: Any) -> None:
        receive(self, data | {"locale": locale})

    patch.setattr(discord.Interaction, "_from_data", received)


@pytest.mark.parametrize("locale", ["", "xx", None, "x" * 5_000, "DE", "-", "pt", "pt-"])
async def test_odd_locale(scene: Scene, monkeypatch: pytest.MonkeyPatch, locale: object) -> None:
    """A reader with a locale that no language has reads English."""
    read_raw(monkeypatch, locale)

    assert "Your Steam account" in text_of(await scene.customer.slash(scene.channel, "link status"))


@pytest.mark.parametrize("locale", ["", "xx", None])
async def test_odd_preferred_locale(scene: Scene, monkeypatch: pytest.MonkeyPatch, locale: object) -> None:
    """The cards of a server with such a locale are in English."""
    guild = scene.client.get_guild(scene.guild.id)
    assert guild is not None
    monkeypatch.setattr(guild, "preferred_locale", discord.enums.try_enum(discord.Locale, locale))

    await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))

    assert "pending" in face(scene, newest_card(scene))


@pytest.mark.parametrize("broken", ["messages.mo", "explanations.mo", "language.toml"])
@pytest.mark.parametrize("content", [None, b"", b"\xde\x12\x04\x95\0\0", b"\xff" * 400])
async def test_broken_file(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    content: bytes | None,
) -> None:
    """English stands in for a file that cannot be read, and the log says so once."""
    shutil.copytree(FOLDER / "de", tmp_path / "de")
    language = found_in(tmp_path)["de"]
    (tmp_path / "de" / broken).unlink()
    if content is not None:
        (tmp_path / "de" / broken).write_bytes(content)
    monkeypatch.setitem(LANGUAGES, "de", language)
    read_raw(monkeypatch, "de")

    results = [await scene.customer.slash(scene.channel, "explain", code="error 33") for _ in range(2)]

    assert all("33" in text_of(result) for result in results)
    (error,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "language=de" in error.getMessage()
    caplog.clear()


async def never_read(*_: object) -> str | None:
    """Read the language of a server from a database that hangs."""
    await asyncio.Event().wait()
    return None


async def not_read(*_: object) -> str | None:
    """Read it from a database that does not work."""
    raise DatabaseUnavailable(DatabaseFault.NO_ANSWER)


async def test_language_of_the_server_unknown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers with several versions of their language are answered although the database does not tell the server's."""
    monkeypatch.setattr(SettingsService, "language_of", not_read)
    mark(monkeypatch, "pt-BR")
    read_raw(monkeypatch, "pt-BR")

    assert text_of(await scene.customer.slash(scene.channel, "link status")).startswith("pt-BR: Your Steam account")


async def test_database_hangs(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer waits long for it."""
    monkeypatch.setattr(SettingsService, "language_of", never_read)
    monkeypatch.setattr("bot.ui.interaction.server_language._WITHIN", 0.01)

    async with asyncio.timeout(10):
        language = await reader_language(scene.client, scene.guild.id, discord.Locale.brazil_portuguese)

    assert language is LANGUAGES["pt-BR"]


async def test_language_that_is_gone(scene: Scene) -> None:
    """A server's language whose folder is gone counts as English until another one is set."""
    owner = owner_of(scene)
    await scene.client.services.settings.set_language("xx", by=scene.owner)

    await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))

    assert "pending" in face(scene, newest_card(scene))
    assert "English · set here" in await say(scene, owner, "show")
    assert "Deutsch · set here" in await say(scene, owner, "language", language="de")
