"""Steam sign-in with the program as a process: listening, stopping, starting again, and its traces."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.demo.providers import faults
from bot.demo.providers.steam import CHECK, SimulatedSteam
from bot.exit_codes import ExitCode
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot
from tests.support.bot_process import BotProcess
from tests.support.loopback_discord.guilds import Member
from tests.support.loopback_discord.messages import nested
from tests.support.loopback_discord.wire import Request
from tests.support.plain_browser import PlainBrowser


@dataclass
class SignIns:
    """A live bot with the sign-in page and a simulated Steam."""

    live: LiveBot
    steam: SimulatedSteam
    port: int

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that switch sign-in on."""
        return {
            "links__public_url": f"http://127.0.0.1:{self.port}",
            "links__listen": f"127.0.0.1:{self.port}",
            "links__steam_openid_url": self.steam.openid_url,
        }

    async def started(self, who: Member) -> str:
        """Use ``/link start`` and return the address."""
        message = await self.live.use(who, "link start")
        [address] = [component["url"] for component in nested(message.components) if "url" in component]
        assert isinstance(address, str)
        return address

    def notices(self) -> list[Request]:
        """Return the messages to users who were linked."""
        return [request for request in self.live.server.requests if "is yours on this server" in str(request.json)]

    def assert_kept_quiet(self, *bots: BotProcess) -> None:
        """Fail if a sign-in token is in a log or in the database."""
        self.live.assert_secrets_kept()
        tokens = set(re.findall(r"/link/([\w-]{43})", str([request.json for request in self.live.server.requests])))
        kept = b"".join(path.read_bytes() for path in self.live.folder.glob("skindesk.db*"))
        assert tokens
        assert not any(token in bot.stderr for token in tokens for bot in bots)
        assert not any(token.encode() in kept for token in tokens)


@pytest.fixture
async def sign_ins(live: LiveBot, unused_tcp_port: int) -> AsyncIterator[SignIns]:
    async with SimulatedSteam(live.world) as steam:
        yield SignIns(live, steam, unused_tcp_port)


async def test_address_in_use(sign_ins: SignIns):
    """An address in use is reported in one line with its setting, before Discord is contacted."""
    with socket.create_server(("127.0.0.1", sign_ins.port)):
        async with sign_ins.live.bot(**sign_ins.settings) as bot:
            assert await bot.wait(30.0) == ExitCode.UNAVAILABLE
            [line] = bot.stderr_lines
            assert " ERROR " in line
            assert f"127.0.0.1:{sign_ins.port} cannot be listened on" in line
            assert "links.listen" in line
    assert sign_ins.live.server.requests == []


async def test_killed_between_start_and_callback(sign_ins: SignIns):
    """A sign-in that began before a crash ends after it; its notice goes to its user alone."""
    live, jonas = sign_ins.live, sign_ins.live.world.other_customer
    async with PlainBrowser(sign_ins.steam) as browser:
        async with live.running(**sign_ins.settings) as first:
            address = await sign_ins.started(live.moderator)
            assert "robin" in await browser.open(address)
            await browser.go_on(address)
            await first.kill()

        async with live.running(set_up=False, **sign_ins.settings) as second:
            assert str(live.moderator.user.id) in await browser.open(address)
            assert "Your Steam account is linked" in await browser.be(jonas)
            assert str(jonas.steam_id) in (await live.use(live.moderator, "link status")).text
            await live.server.until(lambda: "sign_in" in "".join(post.text for post in live.audit.messages))

            await browser.go_on(await sign_ins.started(live.agent))
            await browser.be(live.world.collector)
            await live.server.until(sign_ins.notices)
            assert [request.json["flags"] for request in sign_ins.notices()] == [64]
    sign_ins.assert_kept_quiet(first, second)


async def test_stopped_while_steam_is_asked(sign_ins: SignIns):
    """A stop does not wait for Steam: the page says so, and the user continues after the next start."""
    live, jonas = sign_ins.live, sign_ins.live.world.other_customer
    async with PlainBrowser(sign_ins.steam) as browser:
        async with live.running(**sign_ins.settings) as first:
            address = await sign_ins.started(live.moderator)
            await browser.go_on(address)
            sign_ins.steam.check_faults.append(faults.hang)
            waiting = asyncio.create_task(browser.be(jonas))
            await sign_ins.steam.called(CHECK)

            assert await first.terminate(STOPS_WITHIN) == ExitCode.OK
            assert "SkinDesk is restarting" in await waiting

        async with live.running(set_up=False, **sign_ins.settings) as second:
            await browser.go_on(address)
            assert "Your Steam account is linked" in await browser.be(jonas)
    sign_ins.assert_kept_quiet(first, second)
