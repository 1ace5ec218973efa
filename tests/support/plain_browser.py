"""A browser without scripts that signs in through the simulated Steam."""

import re
from types import TracebackType
from typing import Self

import aiohttp

from bot.demo.people import Person
from bot.demo.providers.steam import SimulatedSteam


class PlainBrowser:
    """Keeps its cookies within ``async with``; every step returns the page it ends on."""

    def __init__(self, steam: SimulatedSteam) -> None:
        self._steam = steam
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._form: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def open(self, address: str) -> str:
        """Open a page."""
        async with self._session.get(address) as page:
            return await page.text()

    async def go_on(self, address: str) -> str:
        """Open the page and press its button, if it has one, to go on to Steam."""
        text = await self.open(address)
        proof = re.search(r'name="proof" value="([^"]+)"', text)
        if proof is None:
            return text
        async with self._session.post(address, data={"proof": proof[1]}) as page:
            text = await page.text()
        self._form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
        return text

    async def be(self, person: Person) -> str:
        """Sign in at Steam, and come back."""
        form = {**self._form, "steam_id": str(person.steam_id)}
        async with self._session.post(f"{self._steam.url}/openid/sign-in", data=form) as page:
            return await page.text()
