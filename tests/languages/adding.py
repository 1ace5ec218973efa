"""Adds the made-up language as a contributor adds one: by the command, and with every message translated."""

from pathlib import Path

from bot.languages.language import EXPLANATIONS, MESSAGES, Language
from tests.languages.catalogues import add, catalogue, compiled, written
from tests.support.made_up import CODE, made_up, made_up_formats


def made_up_in(folder: Path) -> Language:
    """Return the made-up language, from files in this folder."""
    place = add(CODE, folder)
    for name in (MESSAGES, EXPLANATIONS):
        found = catalogue(place, name)
        for message in found:
            if isinstance(message.id, str):
                message.string = made_up(message.id) if message.id else message.string
            else:
                message.string = tuple(map(made_up, message.id))
        (place / f"{name}.po").write_bytes(written(found))
        (place / f"{name}.mo").write_bytes(compiled(found))
    language = Language(place)
    language.__dict__["formats"] = made_up_formats()
    return language
