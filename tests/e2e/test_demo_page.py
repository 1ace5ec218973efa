"""The demo as somebody meets it: one command, a printed address, and a page on which the whole desk works."""

import asyncio
import contextlib
import re
import shutil
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright
from playwright.async_api import TimeoutError as PageTimeout

from bot.exit_codes import ExitCode

PATIENCE = 20.0
"""Seconds that no step of the demo comes near unless it hangs."""
A_TRY, TRIES = 4_000.0, 5
"""Milliseconds that one step on the page gets before it is tried again, and how often."""
TAKEN = "before => !!simcordPreview.pendingAction || (simcordPreview.lastAction?.sequence ?? 0) > before"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
AGENT, MODERATOR = "Alex (support agent)", "Robin (moderator)"


@dataclass
class Demo:
    """A running demo and what its terminal suggests."""

    process: Process
    said: str

    def suggested(self, pattern: str) -> str:
        """Return what the group of ``pattern`` stands for in the terminal's text."""
        match = re.search(pattern, self.said)
        assert match is not None, self.said
        return match[1]

    @property
    def url(self) -> str:
        """The page's printed address."""
        return self.suggested(r"(http://\S+)")

    async def ended(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and what stderr had to say."""
        self.process.send_signal(number)
        _, complaints = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        assert self.process.returncode is not None
        return self.process.returncode, complaints.decode()


async def started(folder: Path, port: int) -> Process:
    """Start the console script, with ``folder`` for its temporary files."""
    return await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("skindesk"),
        *("demo", "--no-browser", "--port", str(port)),
        env={"TMPDIR": str(folder)},
        stdout=PIPE,
        stderr=PIPE,
    )


@asynccontextmanager
async def demo(folder: Path, port: int) -> AsyncIterator[Demo]:
    """Run the demo, from when it has said what to try."""
    process = await started(folder, port)
    try:
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readuntil(b"Ctrl+C"), PATIENCE)
        yield Demo(process, said.decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def left_in(folder: Path) -> list[Path]:
    """Return what was not cleaned up."""
    return list(folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_address(tmp_path: Path, unused_tcp_port: int, number: signal.Signals):
    """The printed address answers on the port that was asked for; the demo ends when told to, and keeps nothing."""
    async with demo(tmp_path, unused_tcp_port) as running:
        assert f":{unused_tcp_port}/" in running.url
        async with aiohttp.ClientSession() as session, session.get(running.url) as answer:
            assert answer.status == 200
            assert "<!doctype html>" in await answer.text()

        assert await running.ended(number) == (ExitCode.OK, "")
    assert left_in(tmp_path) == []


async def test_port_taken(tmp_path: Path, unused_tcp_port: int):
    """A port that somebody else has is said in one line."""
    async with demo(tmp_path, unused_tcp_port):
        second = await started(tmp_path, unused_tcp_port)
        said, complaints = await asyncio.wait_for(second.communicate(), PATIENCE)

    assert (second.returncode, said) == (ExitCode.UNAVAILABLE, b"")
    [line] = complaints.decode().splitlines()
    assert str(unused_tcp_port) in line


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"there is no browser here: none of {', '.join(BROWSERS)} is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=QUIET)
        page = await browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        yield page
        await browser.close()


@pytest.mark.browser
async def test_page(tmp_path: Path, unused_tcp_port: int, page: Page):
    """On the page a customer turns the pages of an inventory, an agent asks for a resend and a moderator approves."""
    async with demo(tmp_path, unused_tcp_port) as running:
        await page.goto(running.url)
        await use(page, "inventory", running.suggested(r"inventory tradeurl:(\S+)"))
        await shown(page, "Page 1 of 8")
        await press(page, "Next")
        await shown(page, "Page 2 of 8")

        await become(page, AGENT)
        await use(page, "resend", running.suggested(r"resend id:(\d+)"))
        await shown(page, "· pending")

        await become(page, MODERATOR)
        await press(page, "Approve")
        await shown(page, "· sent")
        assert await running.ended(signal.SIGTERM) == (ExitCode.OK, "")


@pytest.mark.browser
async def test_sign_in(tmp_path: Path, unused_tcp_port: int, page: Page):
    """Whoever is not linked follows the button to the made-up Steam, and reads in the channel that it is done."""
    async with demo(tmp_path, unused_tcp_port) as running:
        await page.goto(running.url)
        await become(page, AGENT)
        await use(page, "link start")
        async with page.expect_popup() as opened:
            await page.get_by_role("link", name="Open the page").last.click()
        tab = await opened.value
        await tab.get_by_role("button", name="That is me").click()
        await tab.get_by_role("button", name="Jonas").click()
        await shown(tab, "Your Steam account is linked")
        await tab.close()

        await shown(page, "is yours on this server from now on")
        await use(page, "link status")
        await shown(page, "by signing in through Steam")
        assert await running.ended(signal.SIGTERM) == (ExitCode.OK, "")


async def become(page: Page, viewer: str) -> None:
    """Choose who to be, and wait until the page is theirs."""
    await settled(page)
    [number] = await page.select_option("#viewer-picker", label=viewer)
    await until(page, "number => simcordPreview.viewerId === number", number)
    await settled(page)


async def use(page: Page, command: str, value: str | None = None) -> None:
    """Choose a command in the composer, fill its first option in where it has one, and send it."""
    composer = page.locator("#channel-composer-input")
    entry = page.locator(f".command-entry.is-active:has-text('/{command}')")

    async def send() -> None:
        await composer.click(timeout=A_TRY)
        await composer.fill("", timeout=A_TRY)
        await composer.press_sequentially(f"/{command}", timeout=A_TRY)
        await entry.wait_for(timeout=A_TRY)
        await page.keyboard.press("Enter")
        if value is not None:
            await page.keyboard.insert_text(value)
        await page.keyboard.press("Escape")
        await page.locator("#send-message").click(timeout=A_TRY)

    await taken(page, send)


async def press(page: Page, label: str) -> None:
    """Press the newest button with this label."""
    await page.get_by_role("button", name=label).last.wait_for()
    await taken(page, lambda: page.get_by_role("button", name=label).last.click(timeout=A_TRY))


async def taken(page: Page, act: Callable[[], Awaitable[None]]) -> None:
    """Do something until the page has taken it: one that is published anew meanwhile forgets what was typed."""
    for _ in range(TRIES):
        await settled(page)
        before = await page.evaluate("simcordPreview.lastAction?.sequence ?? 0")
        with contextlib.suppress(PageTimeout):
            await act()
            await until(page, TAKEN, before, A_TRY)
            return
    pytest.fail("the page took none of the tries")


async def settled(page: Page) -> None:
    """Wait until the page waits for nothing itself."""
    await until(page, "() => !!window.simcordPreview?.ready")


async def until(page: Page, condition: str, about: object = None, patience: float = PATIENCE * 1000) -> None:
    """Ask until the page says yes: the page's policy lets nobody wait inside it."""
    ends = time.monotonic() + patience / 1000
    while not await page.evaluate(condition, about):
        if time.monotonic() > ends:
            raise PageTimeout(condition)
        await asyncio.sleep(0.02)


async def shown(page: Page, text: str) -> None:
    """Wait until the text can be seen."""
    await page.get_by_text(text).filter(visible=True).first.wait_for()
