"""Every page as text: those of the walk through Discord, and those that only builders can make."""

from collections.abc import Iterable
from pathlib import Path

from bot.demo.scene import Scene
from bot.languages import ENGLISH, Language
from tests.snapshots.by_hand import built
from tests.snapshots.shot import Shot, rendered
from tests.snapshots.through_discord import Walk
from tests.snapshots.watched import watched

FOLDER = Path(__file__).parent / "kept"


async def of_walk(scene: Scene, language: Language = ENGLISH) -> list[Shot]:
    """Return what the walk shows, in its order."""
    return [shot async for shot in Walk(scene, language).steps()]


def pages_of(walked: Iterable[Shot]) -> dict[str, str]:
    """Return the text of every page by its name."""
    shots: dict[str, list[Shot]] = {}
    for shot in (*walked, *built(), *watched()):
        shots.setdefault(shot.page, []).append(shot)
    return {page: rendered(page.replace("_", " ").capitalize(), found) for page, found in shots.items()}
