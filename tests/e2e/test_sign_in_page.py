"""The pages of Steam sign-in in a real browser on a phone."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize

from bot.demo.providers import faults
from bot.demo.scene import Scene
from tests.support.chromium import open_page
from tests.support.seen import text_of
from tests.support.stage import kept_open_with_sign_in

PHONE = ViewportSize(width=390, height=844)
SMALL_PHONE = 320


async def address_for(scene: Scene) -> str:
    result = await scene.moderator.slash(scene.channel, "link start")
    assert result.response is not None
    return str(result.response.components[0]["components"][0]["url"])


async def shown(page: Page, shots: Path, name: str, text: str) -> str:
    """Wait for the page with a text and return all of its text.

    It fits the smallest phone, with no command broken and buttons large enough to press.
    """
    await page.locator("main", has_text=text).wait_for()
    await page.screenshot(path=shots / f"{name}.png", full_page=True)
    await page.set_viewport_size({"width": SMALL_PHONE, "height": 600})
    assert await page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE
    assert await page.evaluate(
        "[...document.querySelectorAll('code')].every(each => each.getClientRects().length === 1)"
    )
    for button in await page.locator("button, .do a").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    await page.set_viewport_size(PHONE)
    return await page.inner_text("main")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_signed_in(tmp_path: Path, scheme: Literal["light", "dark"]):
    """Each page from the command to the link is readable, and Discord confirms the link."""
    complaints: list[str] = []
    async with kept_open_with_sign_in(tmp_path) as scene, open_page(**PHONE, scheme=scheme) as page:
        assert scene.steam is not None
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        person = scene.world.other_customer
        address = await address_for(scene)

        await page.goto(address)
        text = await shown(page, tmp_path, "ask", "Robin (moderator)")
        assert "@robin" in text
        assert "Skin Market" in text
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(30, 31, 34)" if scheme == "dark" else "rgb(242, 243, 245)"), "no style sheet"

        await page.get_by_role("button").click()
        await page.get_by_role("button", name="Cancel").click()
        await shown(page, tmp_path, "cancelled", "Nothing was linked")
        await page.get_by_role("link", name="Try again").click()

        scene.steam.check_faults.append(faults.answer(500, b""))
        await page.get_by_role("button").click()
        await page.get_by_role("button", name="Jonas").click()
        await shown(page, tmp_path, "unavailable", "Steam does not answer")
        await page.get_by_role("link", name="Try again").click()

        await page.get_by_role("button").click()
        await page.get_by_role("button", name="Jonas").click()
        await shown(page, tmp_path, "linked", f"SteamID {person.steam_id} is now linked to")

        await settled(scene)
        assert any("is yours on this server" in str(request.json) for request in scene.env.http_requests)
        status = text_of(await scene.moderator.slash(scene.channel, "link status"))
        assert f"SteamID: `{person.steam_id}`\nLinked by signing in at Steam" in status

        await page.reload()
        await shown(page, tmp_path, "gone", "can no longer be used")
    # A browser logs failed statuses as errors; any other complaint means that the policy blocked something.
    assert [complaint for complaint in complaints if "Failed to load resource" not in complaint] == []


@pytest.mark.browser
async def test_sent_by_an_attacker(tmp_path: Path):
    """Steam's address without the page before it links no one; nor does a form on another site."""
    async with kept_open_with_sign_in(tmp_path) as scene, open_page(**PHONE) as page, open_page(**PHONE) as victim:
        assert scene.steam is not None
        address = await address_for(scene)
        await page.goto(address)
        await page.get_by_role("button").click()
        await page.get_by_role("button", name="Jonas").wait_for()

        await victim.goto(page.url)
        await victim.get_by_role("button", name="Jonas").click()
        await shown(victim, tmp_path, "other_browser", "Not started in this browser")

        proof = "A" * 43
        await victim.goto(address)
        await victim.goto(f"{scene.steam.url}/anywhere")
        await victim.set_content(
            f'<form method="post" action="{address}"><input name="proof" value="{proof}"><button>Gift</button></form>'
        )
        await victim.get_by_role("button").click()
        await shown(victim, tmp_path, "not_from_page", "Nothing was done")
        assert "No Steam account" in text_of(await scene.moderator.slash(scene.channel, "link status"))


async def settled(scene: Scene) -> None:
    """Wait until every notice of a sign-in has been sent."""
    service = scene.client.services.sign_ins
    while service._running:
        await asyncio.wait(tuple(service._running))
