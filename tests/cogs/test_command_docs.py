"""docs/commands.md says what the commands are, with pictures that show what they show."""

import json
import re

from bot.demo.scene import Scene
from tests.cogs.entry_points import entries
from tests.snapshots.pages import FOLDER
from tests.support.command_docs import COMMANDS, COMPONENTS, PAGE, page_of
from tests.support.pictures import IMAGES, TAKEN, digests

DOCS_AGAIN = "uv run python -m tests.support.command_docs"
PICTURES_AGAIN = "uv run python -m tests.support.pictures"
README_PICTURE = "demo.png"


def used(scene: Scene, *kinds: str) -> set[str]:
    return {entry.name for entry in entries(scene.client) if entry.kind in kinds}


async def test_page_is_current(scene: Scene) -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(scene.client), f"run {DOCS_AGAIN}"


async def test_everything_has_texts(scene: Scene) -> None:
    """Every command, menu, component and form has its texts, and no text is left over."""
    assert set(COMMANDS) == used(scene, "command", "context menu")
    assert set(COMPONENTS) == used(scene, "component", "modal")
    assert {name for component in COMPONENTS.values() for name in component.under} <= set(COMMANDS)


def test_labels_are_those_shown() -> None:
    """The page names buttons, menus and forms by their labels."""
    shown = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    unseen = {"Mark as sent", "Mark as failed", "Revoke deleted roles", "Sign in again", "Sign in at Steam"}
    """Shown only after an accident or with Steam sign-in; their own tests press them by these labels."""

    assert {component.label for component in COMPONENTS.values() if component.label not in shown} <= unseen


def test_pictures_are_there() -> None:
    """Every picture of the page exists, none is left over, and all of them together stay small."""
    shown = set(re.findall(r"\(images/([a-z-]+\.png)\)", PAGE.read_text(encoding="utf-8"))) | {README_PICTURE}
    files = {path.name: path.stat().st_size for path in IMAGES.glob("*.png")}

    assert set(files) == shown
    assert sum(files.values()) < 1_500_000


def test_pictures_are_current() -> None:
    """Each picture shows the page as it is now."""
    assert json.loads(TAKEN.read_text(encoding="utf-8")) == digests(), f"run {PICTURES_AGAIN}"


def test_next_steps() -> None:
    """The table of next steps has every command, and names buttons, menus and forms by their labels."""
    text = (PAGE.parent / "next-steps.md").read_text(encoding="utf-8")
    table = "".join(line for line in text.splitlines() if line.startswith("|"))
    links = {"Open the page", "Open the offer in Steam", "The bot's profile", "card", "open the card"}
    labels = {component.label for component in COMPONENTS.values()} | {name for name in COMMANDS if not name.islower()}

    assert {name for name in COMMANDS if name.islower() and f"`/{name}`" not in table} == set()
    assert set(re.findall(r"\*([^*]+)\*", table)) - labels - links == set()
