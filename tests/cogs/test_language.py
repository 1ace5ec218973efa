"""/settings language, and who reads which language because of it."""

from typing import Any

import pytest

from bot.demo.scene import Scene
from bot.languages import LANGUAGES
from tests.cogs.test_access import owner_of
from tests.cogs.test_command_contract import leaves, synced
from tests.cogs.test_settings import say
from tests.support.made_up import LOCALE
from tests.support.readers import mark, read_in
from tests.support.seen import text_of

NAMES = [language.formats.name for language in LANGUAGES.values()]


async def test_set_and_cleared(scene: Scene) -> None:
    """The language that was set is shown with where it comes from, until the server's own one is chosen again."""
    owner = owner_of(scene)
    assert "Language\nEnglish · this server's language on Discord" in await say(scene, owner, "show")

    for code, name in zip(LANGUAGES, NAMES, strict=True):
        assert f"Language\n{name} · set here" in await say(scene, owner, "language", language=code)
    shown = await say(scene, owner, "show")
    assert f"{NAMES[-1]} · set here\nCards, audit posts and reminders are in this language. " in shown

    assert "English · this server's" in await say(scene, owner, "language", language="default")
    assert await scene.client.services.settings.language_of(scene.guild.id) is None


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("pl", "Polski · this server's language on Discord"),
        ("es-419", "Español · this server's language on Discord"),
        ("pt-BR", "Português (Brasil) · this server's language on Discord"),
        (LOCALE, "English · SkinDesk does not have this server's language on Discord"),
    ],
)
async def test_language_of_the_server(scene: Scene, locale: str, expected: str) -> None:
    """Without a setting the server's own language counts, or English if SkinDesk does not have it."""
    scene.env.backend.edit_guild(scene.guild.id, {"preferred_locale": locale})
    await scene.env.advance_time(1)

    assert f"Language\n{expected}" in await say(scene, owner_of(scene), "show")


async def test_names_of_languages(scene: Scene) -> None:
    """Each language is offered by its own name."""
    assert {"English", "Deutsch", "Português (Portugal)", "简体中文"} <= set(NAMES)
    (option,) = leaves(synced(scene))["settings language"]

    assert [choice["name"] for choice in option["choices"]] == ["As on Discord", *NAMES]


async def test_european_portuguese(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord has Brazilian Portuguese only: its readers get the European one where the server speaks it."""
    mark(monkeypatch, "pt-BR", "pt-PT")
    owner = owner_of(scene)

    async def title(locale: str) -> str:
        with monkeypatch.context() as patch:
            read_in(patch, locale)
            return text_of(await scene.customer.slash(scene.channel, "link status")).partition("\n")[0]

    found: dict[str, Any] = {}
    for code in ("default", "pt-PT", "pt-BR", "de"):
        await say(scene, owner, "language", language=code)
        found[code] = [await title(locale) for locale in ("pt-BR", "en-US")]

    brazilian, european, english = "pt-BR: Your Steam account", "pt-PT: Your Steam account", "Your Steam account"
    assert found == {
        "default": [brazilian, english],
        "pt-PT": [european, english],
        "pt-BR": [brazilian, english],
        "de": [brazilian, english],
    }
