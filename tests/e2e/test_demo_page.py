"""The demo: one command, a printed address, and a page on which the whole bot works."""

import asyncio
import contextlib
import re
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
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PageTimeout

from bot.exit_codes import ExitCode
from tests.support.chromium import open_page

PATIENCE = 20.0
"""Seconds after which a step of the demo counts as hung."""
A_TRY, TRIES = 4_000.0, 5
"""Milliseconds of one try of a step on the page, and the number of tries."""
ACCEPTED = "before => !!simcordPreview.pendingAction || (simcordPreview.lastAction?.sequence ?? 0) > before"
AGENT, MODERATOR = "Alex (support agent)", "Robin (moderator)"
ADMINISTRATOR = "Kim (administrator)"


@dataclass
class Demo:
    """A running demo and its output."""

    process: Process
    output: str

    def suggested(self, pattern: str) -> str:
        """Return the group of ``pattern`` in the output."""
        match = re.search(pattern, self.output)
        assert match is not None, self.output
        return match[1]

    @property
    def url(self) -> str:
        """The page's printed address."""
        return self.suggested(r"(http://\S+)")

    async def ended(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and stderr."""
        self.process.send_signal(number)
        _, stderr = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        assert self.process.returncode is not None
        return self.process.returncode, stderr.decode()


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
    """Run the demo and wait for its suggestions."""
    process = await started(folder, port)
    try:
        assert process.stdout is not None
        output = await asyncio.wait_for(process.stdout.readuntil(b"Ctrl+C"), PATIENCE)
        yield Demo(process, output.decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_address(tmp_path: Path, unused_tcp_port: int, number: signal.Signals):
    """The demo answers at the printed address, ends on a signal, and leaves no file behind."""
    async with demo(tmp_path, unused_tcp_port) as running:
        assert f":{unused_tcp_port}/" in running.url
        async with aiohttp.ClientSession() as session, session.get(running.url) as answer:
            assert answer.status == 200
            assert "<!doctype html>" in await answer.text()

        assert await running.ended(number) == (ExitCode.OK, "")
    assert list(tmp_path.iterdir()) == []


async def test_port_taken(tmp_path: Path, unused_tcp_port: int):
    """A port in use is reported in one line."""
    async with demo(tmp_path, unused_tcp_port):
        second = await started(tmp_path, unused_tcp_port)
        stdout, stderr = await asyncio.wait_for(second.communicate(), PATIENCE)

    assert (second.returncode, stdout) == (ExitCode.UNAVAILABLE, b"")
    [line] = stderr.decode().splitlines()
    assert str(unused_tcp_port) in line


@pytest.mark.browser
async def test_page(tmp_path: Path, unused_tcp_port: int):
    """A customer turns a page of an inventory, an agent requests a resend, and a moderator approves it."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(1280, 1000) as page:
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
async def test_on_a_phone(tmp_path: Path, unused_tcp_port: int):
    """Pasted lines work at 390 px; mentions are names, and a refusal is no red error."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(390, 1000) as page:
        await page.goto(running.url)
        await paste(page, "/access why member:@alex capability:resend.approve")
        await shown(page, "You may not do that")
        assert await page.locator("#inspector-tab-count").is_hidden()
        await paste(page, "/inventory tradeurl:" + running.suggested(r"inventory tradeurl:(\S+)"))
        await shown(page, "Page 1 of 8")

        await become(page, ADMINISTRATOR)
        await paste(page, "/access why member:@alex capability:resend.approve")
        await shown(page, "@Alex (support agent)")
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def paste(page: Page, line: str) -> None:
    """Send a whole command line as text."""
    composer = page.locator("#channel-composer-input")

    async def send() -> None:
        await composer.fill(line, timeout=A_TRY)
        await page.locator("#send-message").click(timeout=A_TRY)

    await repeat(page, send)


async def become(page: Page, viewer: str) -> None:
    """Switch to another person; a page that is published again forgets the choice."""
    for _ in range(TRIES):
        await settled(page)
        [number] = await page.select_option("#viewer-picker", label=viewer)
        with contextlib.suppress(PageTimeout):
            await until(page, "number => simcordPreview.viewerId === number", number, A_TRY)
            return
        await load_again(page)
    pytest.fail("the page accepted none of the tries")


async def use(page: Page, command: str, value: str | None = None) -> None:
    """Send a command from the composer, with a value for its first option."""
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

    await repeat(page, send)


async def press(page: Page, label: str) -> None:
    """Press the newest button with this label."""
    await page.get_by_role("button", name=label).last.wait_for()
    await repeat(page, lambda: page.get_by_role("button", name=label).last.click(timeout=A_TRY))


async def repeat(page: Page, act: Callable[[], Awaitable[None]]) -> None:
    """Repeat an action until the page accepts it: a page that is published again forgets the typed text."""
    for _ in range(TRIES):
        await settled(page)
        before = await page.evaluate("simcordPreview.lastAction?.sequence ?? 0")
        with contextlib.suppress(PageTimeout):
            await act()
            await until(page, ACCEPTED, before, A_TRY)
            return
        await load_again(page)
    pytest.fail("the page accepted none of the tries")


async def load_again(page: Page) -> None:
    """Load the page again as the same person: after an answer that was lost it takes no further action."""
    viewer = await page.evaluate("simcordPreview.viewerId")
    await page.reload()
    await settled(page)
    if viewer is not None and await page.evaluate("simcordPreview.viewerId") != viewer:
        await page.select_option("#viewer-picker", value=str(viewer))
        await until(page, "number => simcordPreview.viewerId === number", viewer)


async def settled(page: Page) -> None:
    """Wait until the page is ready."""
    await until(page, "() => !!window.simcordPreview?.ready")


async def until(page: Page, condition: str, about: object = None, patience: float = PATIENCE * 1000) -> None:
    """Poll a condition: the page's content security policy forbids waiting inside it."""
    ends = time.monotonic() + patience / 1000
    while not await page.evaluate(condition, about):
        if time.monotonic() > ends:
            raise PageTimeout(condition)
        await asyncio.sleep(0.02)


async def shown(page: Page, text: str) -> None:
    """Wait until the text is visible."""
    await page.get_by_text(text).filter(visible=True).first.wait_for()
