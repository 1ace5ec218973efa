"""The commands reach Discord in every language that both have, and again if a translation changed."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from babel.messages import Catalog

from bot.languages import LANGUAGES
from bot.languages.language import MESSAGES
from tests.e2e.live_bot import LiveBot
from tests.languages.catalogues import compiled, templates
from tests.support.bot_process import RUN

LOCALES = {
    "de": "de",
    "es-419": "es",
    "es-ES": "es",
    "pl": "pl",
    "pt-BR": "pt-BR",
    "ru": "ru",
    "tr": "tr",
    "vi": "vi",
    "zh-CN": "zh-CN",
}
"""Each locale of Discord with the language that its readers get."""

TRANSLATED = f"""
from gettext import GNUTranslations
from pathlib import Path
from bot.languages import LANGUAGES
for path in Path("catalogues").iterdir():
    with path.open("rb") as file:
        LANGUAGES[path.stem].__dict__["messages"] = GNUTranslations(file)
{RUN}"""
"""The program with the catalogues of the test."""


@cache
def _template() -> Catalog:
    return templates()[MESSAGES]


def translate(live: LiveBot, mark: str) -> set[str]:
    """Write catalogues in which each message is in English and marked; return the messages."""
    folder = live.folder / "catalogues"
    folder.mkdir(exist_ok=True)
    template = _template()
    for code in LOCALES.values():
        translations = Catalog(locale=code.replace("-", "_"))
        for message in template:
            if isinstance(message.id, str) and message.id:
                translations.add(message.id, f"{code}{mark} {message.id}", context=message.context)
        (folder / f"{code}.mo").write_bytes(compiled(translations))
    return {message.id for message in template if isinstance(message.id, str)}


def nodes(definitions: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield commands, options and choices."""
    for each in definitions:
        yield each
        yield from nodes(each.get("options") or [])
        yield from nodes(each.get("choices") or [])


async def test_synced_if_a_translation_changed(live: LiveBot) -> None:
    """A changed translation alone causes one sync, and an unchanged one none."""

    def syncs() -> int:
        return sum(request.method == "PUT" and request.path.endswith("/commands") for request in live.server.requests)

    for mark, expected in (("!", 1), ("!", 1), ("?", 2)):
        translate(live, mark)
        async with live.running(set_up=False, program=TRANSLATED):
            pass
        assert syncs() == expected
    live.assert_sound()


async def test_localizations(live: LiveBot) -> None:
    """Descriptions and choices are in every language; names of commands, options and languages are not."""
    messages = translate(live, "!")
    async with live.running(set_up=False, program=TRANSLATED):
        pass

    found = [each for command in live.server.commands.listed() for each in nodes([command]) if command["type"] == 1]
    described, choices = ([each for each in found if key in each] for key in ("description", "value"))
    assert (len(described), len(choices)) > (50, 40)
    for each in described:
        assert each["description_localizations"] == localized(each["description"]), each["name"]
        assert not each.get("name_localizations"), each["name"]
    for each in choices:
        words = localized(each["name"]) if each["name"] in messages else None
        assert each.get("name_localizations") == words, each["name"]
    offered = {each["value"]: each.get("name_localizations") for each in choices if each["value"] in LANGUAGES}
    assert offered == dict.fromkeys(LANGUAGES), "languages are offered by their own names"
    assert "As on Discord" in messages
    live.assert_sound()


def localized(english: str) -> dict[str, str]:
    """Return a text as each locale of Discord has it."""
    return {locale: f"{code}! {english}" for locale, code in LOCALES.items()}
