"""The demo: one command, a printed address, and a page on which the whole bot works."""

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from bot.exit_codes import ExitCode
from tests.e2e.live_demo import (
    ADMINISTRATOR,
    AGENT,
    MODERATOR,
    PATIENCE,
    become,
    demo,
    paste,
    press,
    shown,
    started,
    use,
)
from tests.support.chromium import open_page


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
async def test_language(tmp_path: Path, unused_tcp_port: int):
    """Answers, relative times and the list of commands are in the language that the demo was started with."""
    async with demo(tmp_path, unused_tcp_port, "--language", "de") as running, open_page(1280, 1000) as page:
        await page.goto(running.url)
        await paste(page, "/trades")
        await shown(page, "aktive Trades")
        await shown(page, "vor 5 Minuten")
        await page.locator("#channel-composer-input").press_sequentially("/access")
        await shown(page, "Administratoren: einer Rolle etwas erlauben")


@pytest.mark.browser
async def test_on_a_phone(tmp_path: Path, unused_tcp_port: int):
    """Pasted lines work at 390 px; mentions are names, and a refusal is no red error."""
    async with demo(tmp_path, unused_tcp_port) as running, open_page(390, 1000) as page:
        await page.goto(running.url)
        await paste(page, "/access why member:@alex capability:resend.approve")
        await shown(page, "You may not do that")
        assert await page.evaluate("simcordPreview.diagnostics.every((each) => each.severity !== 'error')")
        await paste(page, "/inventory tradeurl:" + running.suggested(r"inventory tradeurl:(\S+)"))
        await shown(page, "Page 1 of 8")

        await become(page, ADMINISTRATOR)
        await paste(page, "/access why member:@alex capability:resend.approve")
        await shown(page, "@Alex (support agent)")
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
