"""docs/commands.md says what the commands are, with pictures that show what they show."""

import json
import re
from typing import Any

import pytest

from bot.demo.scene import Scene
from bot.ui.interaction.rights import commands_in
from tests.cogs.entry_points import entries
from tests.snapshots.pages import FOLDER
from tests.support.command_docs import PAGE, page_of
from tests.support.command_words import COMMANDS, COMPONENTS
from tests.support.pictures import IMAGES, TAKEN, digests

DOCS_AGAIN = "uv run python -m tests.support.command_docs"
PICTURES_AGAIN = "uv run python -m tests.support.pictures"
README_PICTURE = "demo.png"


def used(scene: Scene, *kinds: str) -> set[str]:
    return {entry.name for entry in entries(scene.client) if entry.kind in kinds}


async def test_page_is_of_today(scene: Scene) -> None:
    """The page is what the program's own commands make of it."""
    assert PAGE.read_text(encoding="utf-8") == page_of(scene.client), f"write it anew: {DOCS_AGAIN}"


async def test_everything_has_words(scene: Scene) -> None:
    """Every command, menu, component and form has its words, and no words are about something that is gone."""
    assert set(COMMANDS) == used(scene, "command", "context menu")
    assert set(COMPONENTS) == used(scene, "component", "modal")
    assert {name for words in COMPONENTS.values() for name in words.under} <= set(COMMANDS)


async def test_no_words_no_page(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its words a command stops the page from being written."""
    (first, *_) = [command for root in scene.client.tree.get_commands() for command in commands_in(root)]
    without: dict[str, Any] = {name: words for name, words in COMMANDS.items() if name != first.qualified_name}
    monkeypatch.setattr("tests.support.command_docs.COMMANDS", without)

    with pytest.raises(KeyError, match=first.qualified_name):
        page_of(scene.client)


def test_labels_are_those_shown() -> None:
    """What the page calls a button, menu or form is what is written on it."""
    shown = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    unseen = {"Mark as sent", "Mark as failed", "Revoke deleted roles"}
    """What only comes up after an accident; their own tests press them by these labels."""

    assert {words.label for words in COMPONENTS.values() if words.label not in shown} <= unseen


def test_pictures_are_there() -> None:
    """Every picture that a document shows exists, none is left over, and all of them together stay small."""
    shown = set(re.findall(r"\(images/([a-z-]+\.png)\)", PAGE.read_text(encoding="utf-8"))) | {README_PICTURE}
    files = {path.name: path.stat().st_size for path in IMAGES.glob("*.png")}

    assert set(files) == shown
    assert sum(files.values()) < 1_500_000


def test_pictures_are_of_today() -> None:
    """What each picture shows still reads as it did when the picture was taken."""
    taken = json.loads(TAKEN.read_text(encoding="utf-8"))

    assert taken == digests(), f"take them anew: {PICTURES_AGAIN}"
