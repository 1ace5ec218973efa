"""Takes the pictures of docs/images from the demo in Chromium.

It takes the same steps as the snapshots of the pages. A digest of each picture's snapshot is kept beside the pictures,
so that a test finds outdated ones. ``python -m tests.support.pictures zh-CN FOLDER`` takes the same pictures in another
language, to look at: they are not kept.
"""

import asyncio
import hashlib
import io
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import simcord
from PIL import Image
from playwright.async_api import Browser, async_playwright

from bot.demo.pictures import pictures
from bot.demo.scene import Scene, staged
from bot.languages import ENGLISH, LANGUAGES, Language
from tests.snapshots.pages import FOLDER
from tests.snapshots.shot import Shot, sections
from tests.snapshots.through_discord import Walk
from tests.support.chromium import NAMES

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TAKEN = IMAGES / "taken.json"

_WIDE, _PHONE = 600, 390
_HEIGHT = 2_400
_COLOURS = 96
_GAP = 24
_JOINED = "demo.png"
_JOINED_OF = ("inventory.png", "refused.png", "trades-phone.png")

_OF_MESSAGE = "article[data-message-id='{}']"
_NAME_PEOPLE = """(message, names) => {
    const walker = document.createTreeWalker(message, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        node.data = node.data.replace(/<(?:@&|@|#)(\\d+)>/g, (mention, id) => names[id] ?? mention);
    }
}"""
"""Replaces mentions in embeds by names: Discord shows names, the simulated Discord does not."""


@dataclass(frozen=True)
class Wanted:
    """A picture of a snapshot: its file, page, heading and window width."""

    file: str
    page: str
    heading: str
    width: int = _WIDE


_MAIN = (
    ("inventory", "inventory", "one provider · customer"),
    ("refused", "inventory", "private · agent"),
    ("trades", "trades", "active · customer"),
    ("trade", "trades", "a failed withdrawal · customer"),
    ("customer", "customer", "with a note · moderator"),
    ("approval", "resend", "the card · moderators"),
    ("approvals", "approvals", "one open · moderator"),
    ("explain", "explain", "33 · customer"),
    ("status", "status", "one fails · moderator"),
    ("access", "access", "list · administrator"),
)
"""The ten main pages, which are shown on the width of a phone too."""

WANTED = (
    *(Wanted(f"{name}.png", page, heading) for name, page, heading in _MAIN),
    *(Wanted(f"{name}-phone.png", page, heading, _PHONE) for name, page, heading in _MAIN),
    Wanted("inventory-all.png", "inventory", "all side by side · customer"),
    Wanted("item.png", "item_details", "first item · customer"),
    Wanted("audit.png", "audit", "newest · moderator"),
)


def digests() -> dict[str, str]:
    """Return a digest of each picture's current snapshot."""
    kept = {page: sections((FOLDER / f"{page}.md").read_text(encoding="utf-8")) for page in {w.page for w in WANTED}}
    return {
        wanted.file: hashlib.sha256(kept[wanted.page][wanted.heading].encode()).hexdigest()[:16] for wanted in WANTED
    }


async def _take_all() -> None:
    await _take(ENGLISH, IMAGES)
    _join()
    TAKEN.write_text(json.dumps(digests(), indent=2, sort_keys=True) + "\n", encoding="utf-8")


async def _take(language: Language, into: Path) -> None:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        raise SystemExit(f"there is no browser here: none of {', '.join(NAMES)} is installed")
    await asyncio.to_thread(into.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            staged(Path(folder), check_errors=False, language=language) as scene,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            walk = Walk(scene, language)
            async for shot in walk.steps():
                for wanted in WANTED:
                    if (wanted.page, wanted.heading) == (shot.page, shot.heading):
                        viewer = shot.actor or scene.moderator
                        await _picture(scene, browser, shot, viewer, wanted, into)
            await browser.close()


async def _picture(
    scene: Scene,
    browser: Browser,
    shot: Shot,
    viewer: simcord.MemberActor,
    wanted: Wanted,
    into: Path,
) -> None:
    """Show one message to its reader and take its picture."""
    assets = pictures(scene.world)
    async with scene.env.preview(scene.channel, viewers=[viewer], layout="channel", assets=assets) as preview:
        page = await browser.new_page(viewport={"width": wanted.width, "height": _HEIGHT})
        await page.goto(preview.url)
        assert shot.message is not None
        message = page.locator(_OF_MESSAGE.format(shot.message.id))
        await message.wait_for()
        await message.evaluate(_NAME_PEOPLE, {str(number): name for number, name in shot.names.items()})
        await _keep(await message.screenshot(), into / wanted.file)
        await page.close()


async def _keep(png: bytes, path: Path) -> None:
    """Save a picture with few colours, to keep it small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    await asyncio.to_thread(picture.save, path, optimize=True)


def _join() -> None:
    """Join the README's pictures side by side."""
    parts = [Image.open(IMAGES / name).convert("RGB") for name in _JOINED_OF]
    width = sum(part.width + _GAP for part in parts) - _GAP
    joined = Image.new("RGB", (width, max(part.height for part in parts)), parts[0].getpixel((parts[0].width - 1, 0)))
    left = 0
    for part in parts:
        joined.paste(part, (left, 0))
        left += part.width + _GAP
    joined.quantize(_COLOURS, dither=Image.Dither.NONE).save(IMAGES / _JOINED, optimize=True)


if __name__ == "__main__":
    asyncio.run(_take(LANGUAGES[sys.argv[1]], Path(sys.argv[2])) if len(sys.argv) > 2 else _take_all())
