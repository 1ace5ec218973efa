"""What people see and reach on the demo's page, on a phone and on a desktop."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest
from playwright.async_api import Page, Route

from tests.e2e.live_demo import AGENT, MODERATOR, become, demo, paste, press, settled, shown, until, use
from tests.support.chromium import open_page

PHONE, DESKTOP = 390, 1280
HEIGHT = 800

MESSAGES = "() => document.querySelectorAll('article.channel-message').length"
NEWEST_IN_VIEW = """() => {
    const view = document.getElementById("channel-timeline").getBoundingClientRect();
    const newest = [...document.querySelectorAll("article.channel-message")].at(-1).getBoundingClientRect();
    return newest.top >= view.top - 1 && Math.min(newest.bottom, newest.top + 120) <= view.bottom + 1;
}"""
SCROLLED = "() => document.getElementById('channel-timeline').scrollTop"
FOCUSED = "() => document.activeElement.id"
BOX = "channel-composer-input"
CUT = (
    """() => [...document.querySelectorAll(".code-block")].filter(each => each.scrollWidth > each.clientWidth).length"""
)


async def answered(page: Page, act: Awaitable[None]) -> None:
    """Act, wait for a new message, and see its beginning."""
    await settled(page)
    before = await page.evaluate(MESSAGES)
    await act
    await until(page, f"before => ({MESSAGES})() === before + 1", before)
    await settled(page)
    await until(page, NEWEST_IN_VIEW)


@pytest.mark.browser
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_answers_in_view(tmp_path: Path, unused_tcp_port: int, width: int):
    """The newest answer is in view after a line, a command from the list, and a click that opens a message."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(width, HEIGHT) as page:
        await page.goto(running.url)
        await answered(page, paste(page, "/inventory tradeurl:" + running.suggested(r"inventory tradeurl:(\S+)")))
        await answered(page, use(page, "status"))
        await answered(page, press(page, "CSV of all"))


@pytest.mark.browser
async def test_view_stays(tmp_path: Path, unused_tcp_port: int):
    """A reader's view stays when someone else's actions change an older card and post a message."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(PHONE, HEIGHT) as page:
        await page.goto(running.url)
        await become(page, AGENT)
        await use(page, "resend", running.suggested(r"resend id:(\d+)"))
        await shown(page, "· pending")
        await settled(page)
        await page.evaluate("document.getElementById('channel-timeline').scrollTop = 40")

        async with open_page(DESKTOP, HEIGHT) as moderators:
            await moderators.goto(running.url)
            await become(moderators, MODERATOR)
            await press(moderators, "Approve")
            await shown(moderators, "· sent")
            await paste(moderators, "Done!")
        await until(page, "() => /· sent.*Done!/s.test(document.body.textContent)")
        await settled(page)
        assert await page.evaluate(SCROLLED) == 40


@pytest.mark.browser
async def test_keyboard(tmp_path: Path, unused_tcp_port: int):
    """Without a mouse: a line is chosen or pasted, Enter sends it, and the next one can be typed at once."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(DESKTOP, HEIGHT) as page:
        await page.goto(running.url)
        await settled(page)
        line = page.get_by_role("button", name="/trades", exact=True)
        await line.focus()
        await page.keyboard.press("Enter")
        assert await page.input_value(f"#{BOX}") == "/trades"
        await answered(page, page.keyboard.press("Enter"))
        await until(page, f"() => ({FOCUSED})() === '{BOX}'")

        await page.keyboard.type("/status")
        await page.locator(".command-entry.is-active:has-text('/status')").wait_for()
        await page.keyboard.press("Enter")
        await answered(page, page.keyboard.press("Enter"))
        await until(page, f"() => ({FOCUSED})() === '{BOX}'")

        await line.select_text()
        await page.keyboard.press("Control+C")
        await page.locator(f"#{BOX}").focus()
        await page.keyboard.press("Control+V")
        await answered(page, page.keyboard.press("Enter"))


@pytest.mark.browser
@pytest.mark.parametrize("by_key", [True, False])
async def test_sent_before_the_suggestions(tmp_path: Path, unused_tcp_port: int, *, by_key: bool):
    """Enter and the button send a command although its suggestions are not there yet."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(DESKTOP, HEIGHT) as page:
        await page.goto(running.url)
        await settled(page)
        pressed = asyncio.Event()

        async def held(route: Route) -> None:
            await pressed.wait()
            await route.continue_()

        await page.route("**/api/action", held)
        await page.locator(f"#{BOX}").press_sequentially("/resend")
        await page.locator(".command-entry.is-active").wait_for()
        await page.keyboard.press("Enter")
        await page.keyboard.type(running.suggested(r"resend id:(\d+)"))
        await until(page, "() => simcordPreview.pendingAction?.kind === 'autocomplete_command'")
        await (page.keyboard.press("Enter") if by_key else page.locator("#send-message").click(force=True))
        pressed.set()
        await shown(page, "· pending")


@pytest.mark.browser
async def test_room_on_a_phone(tmp_path: Path, unused_tcp_port: int):
    """A newcomer reads each line to its end and sees who they are; tools for developers take no room."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(PHONE, HEIGHT) as page:
        await page.goto(running.url)
        await settled(page)
        assert not await page.evaluate(CUT)
        chosen = await page.locator("#viewer-picker").bounding_box()
        assert chosen is not None
        assert chosen["width"] > PHONE / 2
        for name in ("Messages", "Refresh", "Capture", "Inspector"):
            assert not await page.get_by_role("button", name=name).count()

        await page.locator(f"#{BOX}").focus()
        await page.keyboard.type("/resend")
        await page.locator(".command-entry.is-active").wait_for()
        await page.keyboard.press("Enter")
        await page.locator(".command-suggestion").first.wait_for()
        send = await page.locator("#send-message").bounding_box()
        assert send is not None
        assert send["x"] + send["width"] <= PHONE
