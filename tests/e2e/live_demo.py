"""A running demo, and what a person does on its page."""

import asyncio
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page

PATIENCE = 60.0
"""Seconds after which a step of the demo counts as hung."""
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


async def started(folder: Path, port: int, *options: str) -> Process:
    """Start the console script, with ``folder`` for its temporary files."""
    return await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("skindesk"),
        *("demo", "--no-browser", "--port", str(port), *options),
        env={"TMPDIR": str(folder)},
        stdout=PIPE,
        stderr=PIPE,
    )


@asynccontextmanager
async def demo(folder: Path, port: int, *options: str) -> AsyncIterator[Demo]:
    """Run the demo and wait for its suggestions."""
    process = await started(folder, port, *options)
    try:
        assert process.stdout is not None
        output = await asyncio.wait_for(process.stdout.readuntil(b"Ctrl+C"), PATIENCE)
        yield Demo(process, output.decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def paste(page: Page, line: str) -> None:
    """Send a whole command line as text."""

    async def send() -> None:
        await page.locator("#channel-composer-input").fill(line)
        await page.locator("#send-message").click()

    await accepted(page, send)


async def become(page: Page, viewer: str) -> None:
    """Switch to another person."""
    await settled(page)
    [number] = await page.select_option("#viewer-picker", label=viewer)
    await until(page, "number => simcordPreview.viewerId === number", number)


async def use(page: Page, command: str, value: str | None = None) -> None:
    """Send a command from the composer, with a value for its first option."""
    composer = page.locator("#channel-composer-input")

    async def send() -> None:
        await composer.click()
        await composer.press_sequentially(f"/{command}")
        await page.locator(f".command-entry.is-active:has-text('/{command}')").wait_for()
        await page.keyboard.press("Enter")
        if value is not None:
            await page.keyboard.insert_text(value)
        await page.keyboard.press("Escape")
        await page.locator("#send-message").click()

    await accepted(page, send)


async def press(page: Page, label: str) -> None:
    """Press the newest button with this label."""
    button = page.get_by_role("button", name=label).last
    await button.wait_for()
    await accepted(page, button.click)


async def accepted(page: Page, act: Callable[[], Awaitable[None]]) -> None:
    """Act when the page is ready, and wait until it is ready again."""
    await settled(page)
    await act()
    await settled(page)


async def settled(page: Page) -> None:
    """Wait until the page is ready."""
    await until(page, "() => !!window.simcordPreview?.ready")


async def until(page: Page, condition: str, about: object = None) -> None:
    """Poll a condition: the page's content security policy forbids waiting inside it."""
    ends = time.monotonic() + PATIENCE
    while not await page.evaluate(condition, about):
        assert time.monotonic() < ends, condition
        await asyncio.sleep(0.02)


async def shown(page: Page, text: str) -> None:
    """Wait until the text is visible."""
    await page.get_by_text(text).filter(visible=True).first.wait_for()
