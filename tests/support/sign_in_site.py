"""Steam sign-in without Discord: the real page, service and database, a simulated Steam, and browsers."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from bot.config import Links
from bot.demo.people import Person
from bot.demo.providers.steam import CHECK, SimulatedSteam
from bot.demo.world import World
from bot.domain.access import Actor
from bot.domain.links import Link
from bot.domain.sign_in import SignInNames, token_from
from bot.providers.steam_openid import HttpSteamOpenId
from bot.services.audit import AuditService
from bot.services.link_notices import LinkNotices
from bot.services.sign_in import SignInService, StartedSignIn, Tell
from bot.sign_in_setup import open_sign_in
from tests.contracts.engines import ENGINES, Repositories
from tests.fakes.audit_channel import FakeAuditChannel
from tests.fakes.clock import FakeClock
from tests.fakes.guilds import every_guild
from tests.fakes.link_messages import FakeLinkMessages

GUILD, MIA, ALEX = 900_000_000_000_000_001, 800_000_000_000_000_001, 800_000_000_000_000_002
NAMES = SignInNames(member="Mia", user="mia_92", guild="Skin Market")
Parameters = Sequence[tuple[str, str]]

ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "SkinDesk",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = re.compile(
    r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action 'self' http://127\.0\.0\.1:\d+; "
    r"frame-ancestors 'none'; base-uri 'none'"
)


def assert_headers(headers: Mapping[str, str]) -> None:
    """Fail if an answer lacks a security header or names the server software."""
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    assert POLICY.fullmatch(headers["Content-Security-Policy"])
    assert headers["Permissions-Policy"]
    assert "text/html; charset=utf-8" in headers["Content-Type"]


class Browser:
    """A browser with its own cookies. It checks the headers of every answer of the site."""

    def __init__(self) -> None:
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.session._retry_connection = False

    async def ask(self, method: str, url: str, **options: Any) -> tuple[int, str, Mapping[str, str]]:
        """Send one request, without following redirects, and return status, text and headers."""
        async with self.session.request(method, url, **{"allow_redirects": False, **options}) as answer:
            assert_headers(answer.headers)
            return answer.status, await answer.text(), answer.headers

    async def press(self, started: StartedSignIn) -> str:
        """Open the page, press its button, and return Steam's address."""
        address = started.address.reveal()
        status, text, _ = await self.ask("GET", address)
        assert status == 200
        found = re.search(r'name="proof" value="([^"]+)"', text)
        assert found is not None
        status, _, headers = await self.ask("POST", address, data={"proof": found[1]})
        assert status == 303
        return headers["Location"]

    async def come_back(self, return_to: str, parameters: Parameters) -> tuple[int, str]:
        """Return from Steam with these parameters."""
        status, text, _ = await self.ask("GET", f"{return_to}?{urlencode(list(parameters))}")
        return status, text


@dataclass
class SignInSite:
    """The sign-in page of a guild. ``linked`` are the links that Discord users were notified of."""

    repositories: Repositories
    clock: FakeClock
    world: World
    steam: SimulatedSteam
    service: SignInService
    public_url: str
    port: int
    linked: list[Link] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    """Every token that was handed out."""
    _browsers: list[Browser] = field(default_factory=list)

    async def begin(
        self, user_id: int = MIA, *, guild_id: int = GUILD, names: SignInNames = NAMES, tell: Tell | None = None
    ) -> StartedSignIn:
        """Use ``/link start``."""
        by = Actor(guild_id, user_id, frozenset({guild_id}))
        started = await self.service.start(names=names, tell=tell or self._tell, by=by)
        self.secrets.append(token_of(started))
        return started

    def browser(self) -> Browser:
        browser = Browser()
        self._browsers.append(browser)
        return browser

    async def at_steam(self, browser: Browser, started: StartedSignIn, person: Person) -> tuple[str, Parameters]:
        """Sign in at Steam; return Steam's redirect and its parameters."""
        return_to = self.return_to(await browser.press(started))
        return return_to, list(self.steam.assertion(person.steam_id, return_to=return_to).items())

    def return_to(self, login: str) -> str:
        """Return the ``return_to`` in the address of Steam's login page."""
        return dict(parse_qsl(urlsplit(login).query))["openid.return_to"]

    async def link_of(self, user_id: int = MIA, *, guild_id: int = GUILD) -> Link | None:
        return await self.repositories.links.of_user(guild_id, user_id)

    @property
    def local_url(self) -> str:
        """The page's own address, behind any proxy."""
        return f"http://127.0.0.1:{self.port}"

    def impatient(self, seconds: float) -> None:
        """Shorten the deadline for Steam's answers."""
        openid = self.service._steam
        assert isinstance(openid, HttpSteamOpenId)
        openid._transport.limits = replace(openid._transport.limits, deadline=seconds)

    async def settled(self) -> None:
        """Wait until every notification has been sent."""
        while self.service._running:
            await asyncio.wait(tuple(self.service._running))

    @property
    def asked_steam(self) -> int:
        """How often Steam was asked to confirm an assertion."""
        return self.steam.calls[CHECK]

    async def close(self) -> None:
        for browser in self._browsers:
            await browser.session.close()

    async def _tell(self, link: Link) -> None:
        self.linked.append(link)


def token_of(started: StartedSignIn) -> str:
    """Return the token at the end of the address."""
    token = token_from(started.address.reveal().rpartition("/")[2])
    assert token is not None
    return token.reveal()


@asynccontextmanager
async def open_site(folder: Path, *, public_url: str | None = None) -> AsyncIterator[SignInSite]:
    """Open everything; ``public_url`` is that of a proxy in front of the page."""
    clock = FakeClock()
    world = World(now=clock.now)
    async with AsyncExitStack() as stack:
        repositories = await stack.enter_async_context(ENGINES["sqlite"](folder))
        steam = await stack.enter_async_context(SimulatedSteam(world))
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listening.getsockname()[1]
        public_url = public_url or f"http://127.0.0.1:{port}"
        links = Links(public_url=public_url, listen=f"127.0.0.1:{port}", steam_openid_url=steam.openid_url)
        audit = AuditService(
            rows=repositories.audit,
            settings=repositories.settings,
            guilds=every_guild(),
            channel=FakeAuditChannel(),
            clock=clock,
        )
        service = await open_sign_in(
            links,
            stack,
            sign_ins=repositories.sign_ins,
            audit=audit,
            guilds=every_guild(),
            notices=LinkNotices(messages=FakeLinkMessages(), show_on_cards=FakeLinkMessages().show),
            clock=clock,
            listening=listening,
        )
        site = SignInSite(repositories, clock, world, steam, service, public_url, port)
        stack.push_async_callback(site.close)
        yield site
