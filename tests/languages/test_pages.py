"""Every page in every language: inside Discord's limits, and without a word that was never translated."""

import re
from pathlib import Path

import pytest

from bot.languages import ENGLISH, LANGUAGES, Language, in_language
from tests.languages.adding import made_up_in
from tests.snapshots.by_hand import built
from tests.snapshots.pages import of_walk
from tests.snapshots.shot import Shot
from tests.snapshots.watched import watched
from tests.support.made_up import ACCENTED, added
from tests.support.message_rules import message
from tests.support.payload_audit import audit_requests
from tests.support.payload_texts import HOSTS
from tests.support.stage import kept_open

NAMES = (
    "SkinDesk", "SteamID", "Steam", "Discord", "AssetPay (client)", "AssetPay", "SkinsBack", "Mannco.store",
    "Cloudflare", "Counter-Strike 2", "Dota 2", "Rust", "USD", "RUB", "English", "Skin Market", "blue",
)  # fmt: skip
ITEMS = (
    "Driftwood Locker", "Large Wood Box", "Cloth", "Sand Camo Bandana", "Tidewater AR", "Night Shift Pickaxe",
    "Sticker", "Salvage Lantern Door", "Foundry Chest Plate", "Second Monsoon Case", "Field-Tested",
    "Minimal Wear", "Classified", "Rifle", "Mil-Spec Grade", "Pistol", "Copper",
)  # fmt: skip
FROM_OUTSIDE = (
    "offer expired", "createorder", "access.revoked", "Speaks German. Her brother uses the account too.",
    "it has arrived", "The user answered with a counter offer",
    "There was an error sending your trade offer. Please try again later.",
    "Inventory is private", "Inventory fetch failed", "No bots available", "Steam rate limited",
    "words of the provider", "nobody documented it",
)  # fmt: skip
"""What people and providers wrote, and keys."""

_DATA = re.compile(
    r"`[^`]*`|\{[^}]*\}|<[^>]*>|\[[^\]]* \| [^\]]*\]|https?://\S+|[@#]\w[\w-]*|/[a-z]+( [a-z-]+)?\b"
    r"|(?:StatTrak™ )?[A-Z][\w-]+(?: [A-Z0-9]\w*)* \| (?:[A-Z]\w+ ?)+(?:\([\w -]+\))?|“[^”]*”|\b\w+_\w+\b"
    r"|\b(?:[0-9a-f]{6}|[0-9a-f]{8})\b|\b[\w-]*\d[\w-]*\b"
    r"|^menu: |^input: |, disabled\b|, opens a page\b|\(picture\)|^\(file\) .*|"
    + "|".join(rf"\b{re.escape(each)}(?!\w)" for each in (*FROM_OUTSIDE, *NAMES, *ITEMS)),
    re.MULTILINE,
)
"""What is in no language: code, times, mentions, addresses, names, quotes; and what a shot adds to what people see."""

_SPACED = re.compile(".*[\u3002\uff01\uff1f] .*")
"""A Chinese sentence and a space: the next sentence follows without one."""

_WORD = re.compile(r"[^\W\d_]{3,}")


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != ENGLISH.code])
async def test_limits(code: str, tmp_path: Path) -> None:
    """Discord accepts each page in each language; sentences follow one another as in the language."""
    shots, violations = await _pages(LANGUAGES[code], tmp_path)

    assert violations == []
    assert {near for shot in shots for near in _SPACED.findall(shot.text())} == set()


async def test_made_up_language(tmp_path: Path) -> None:
    """In a language that is 40 % longer than English each page fits, and has nothing that was not translated."""
    with added(made_up_in(tmp_path)) as language:
        shots, violations = await _pages(language, tmp_path)
    not_translated = {word for shot in shots for word in english_words(shot.text())}

    assert violations == []
    assert not_translated == set()


def english_words(text: str) -> set[str]:
    """Return the words without an accent that the made-up language would have given one."""
    words = _WORD.findall(_DATA.sub(" ", text))
    return {word for word in words if word.isascii() and set(word.lower()) & ACCENTED}


async def _pages(language: Language, folder: Path) -> tuple[list[Shot], list[str]]:
    """Return every page and what Discord would refuse of it."""
    async with kept_open(folder, language) as scene:
        walked = await of_walk(scene, language)
        violations = audit_requests(scene.env.http_requests)
    with in_language(language):
        by_hand = [*built(), *watched()]
    for shot in by_hand:
        body = {"embeds": [embed.to_dict() for embed in shot.embeds], "allowed_mentions": {"parse": []}}
        violations += [f"{shot.page}, {shot.heading}: {each}" for each in message(body, is_new=True, hosts=HOSTS)]
    return [*walked, *by_hand], violations
