"""Opens pages in an installed Chromium."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from playwright.async_api import Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
_PATIENCE_MS = 60_000


@asynccontextmanager
async def open_page(width: int, height: int, scheme: Literal["light", "dark"] = "light") -> AsyncIterator[Page]:
    """Open an empty page, or skip the test if there is no Chromium."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_SWITCHES)
        page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_default_timeout(_PATIENCE_MS)
        yield page
        await browser.close()
