"""One line names what keeps SkinDesk from Discord, and nothing that may pass stops it for good."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.exit_codes import ExitCode
from tests.e2e.live_bot import LiveBot
from tests.e2e.test_starting import the_one_error
from tests.support.loopback import Loopback, as_json, content

CLOUDFLARE = "<html><title>Access denied</title><body>Error 1015 You are being rate limited</body></html>"
PORTAL = "<html><title>Free WiFi</title><body><form>canary-page</form></body></html>"
ME, COMMANDS, GATEWAY = "/users/@me", "/applications/*/commands", "/gateway/bot"
CERTIFICATE = Path(__file__).parent.parent / "providers" / "loopback.pem"

Trouble = Callable[[LiveBot], object]


def page(path: str, status: int, text: str = CLOUDFLARE, method: str = "GET", **headers: str) -> Trouble:
    return lambda live: live.server.faults.show(method, path, status, text, times=99, **headers)


def refusal(status: int, code: int = 0) -> Trouble:
    return lambda live: live.server.faults.fail("GET", ME, status, code=code, times=9)


def at(base: str) -> Trouble:
    return lambda live: setattr(live.server, "api_base", f"{base}/api/v10")


def closing(code: int) -> Trouble:
    return lambda live: live.server.gateway.closes.append(code)


@pytest.mark.parametrize(
    ("trouble", "code", "told"),
    [
        (page(ME, 403, server="cloudflare"), 69, "Cloudflare, which stands before Discord, refuses this machine"),
        (page(COMMANDS, 403, method="PUT", server="cloudflare"), 69, "(HTTP 403, error 1015, “Access denied”)"),
        (page(ME, 503), 69, "Discord fails (HTTP 503)"),
        (page(ME, 200, PORTAL), 69, "a web page answered instead of Discord (HTTP 200, “Free WiFi”)"),
        (page(ME, 511, PORTAL), 69, "this network may want a login first"),
        (page(ME, 401, PORTAL), 69, "look for a proxy or a firewall"),
        (refusal(401), 78, "Discord refused discord.token"),
        (refusal(403, 40333), 69, "HTTP 403, code 40333"),
        (at("http://no-such-host.invalid"), 69, "Discord's name cannot be resolved"),
        *((closing(code), 78, f"close code {code}") for code in (4010, 4014)),
    ],
)
async def test_at_the_start(live: LiveBot, trouble: Trouble, code: int, told: str):
    """Only what Discord itself refuses needs a person (78); a page of anything between is an outage (69)."""
    trouble(live)
    async with live.bot() as bot:
        assert told in await the_one_error(bot, ExitCode(code))
        assert "canary-page" not in bot.stderr
        assert "<html" not in bot.stderr
    live.assert_secrets_kept()


async def test_another_server_answers(live: LiveBot):
    """The log names a redirection to a login page, and a certificate that is not Discord's."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    async with (
        Loopback(lambda _: content(PORTAL.encode(), content_type="text/html")) as portal,
        Loopback(lambda _: as_json({}), tls=tls) as secure,
    ):
        fault = live.server.faults.show("GET", ME, 302, "", location=portal.url.replace("127.0.0.1", "localhost"))
        async with live.bot() as bot:
            assert "this network may want a login first" in await the_one_error(bot, ExitCode.UNAVAILABLE)
        fault.times = 0
        at(secure.url)(live)
        async with live.bot() as bot:
            line = await the_one_error(bot, ExitCode.UNAVAILABLE)
            assert "not secure (self-signed certificate): look at this machine's clock" in line


async def test_asked_to_wait(live: LiveBot):
    """A start that is asked to wait does so before it ends, and stops at once on SIGTERM."""
    page(ME, 429, retry_after="3600", server="cloudflare")(live)
    async with live.bot() as bot:
        await bot.wait_line("asks to wait 3600 s")
        assert await bot.terminate(3.0) == ExitCode.OK
    assert len(live.server.requests) == 1


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (lambda live: live.server.gateway.refusals.append(502), "Discord's gateway answered HTTP 502"),
        (closing(1000), "code 1000 (closed in order)"),
        (closing(4008), "code 4008 (too many messages)"),
        (page(GATEWAY, 403, server="cloudflare"), "Cloudflare, which stands before Discord"),
        (page(GATEWAY, 200, PORTAL), "a web page answered instead of Discord"),
        (lambda live: live.server.world.session_starts.update(remaining=0, reset_after=1), "0 of Discord's 1000"),
    ],
)
async def test_gateway_at_the_start(live: LiveBot, trouble: Trouble, told: str):
    """SkinDesk goes on trying to connect, says why it waits, and serves once it may."""
    trouble(live)
    async with live.bot() as bot:
        assert "gateway not connected shard=0" in await bot.wait_line(told)
        live.server.world.session_starts.update(remaining=900)
        for fault in live.server.faults.all():
            fault.times = 0
        await bot.wait_line("ready guilds=", within=30.0)
        assert "Traceback" not in bot.stderr


async def test_few_sessions_left(live: LiveBot):
    """The last sessions of a day are spread over the rest of it, so a crash loop cannot use them up."""
    live.server.world.session_starts.update(remaining=400, reset_after=60_000_000)
    live.server.world.shards = 2
    async with live.bot() as bot:
        await bot.wait_line("400 of Discord's 1000 sessions a day are left: the next one begins in 150 s")
        assert await bot.terminate(5.0) == ExitCode.OK
    assert bot.stderr.count("the next one begins") == 1
    assert live.server.gateway.connections == 0


@pytest.mark.parametrize("code", [1001, 4000, 4009])
async def test_closed_while_running(live: LiveBot, code: int):
    """A close code that may pass is named, and the session goes on."""
    async with live.running() as bot:
        await bot.wait_line("ready guilds=")
        await live.server.gateway.close(code)
        assert "shard=0" in await bot.wait_line(f"gateway disconnected shard=0: code {code}")
        await bot.wait_line("gateway resumed")
        assert "Traceback" not in bot.stderr
    assert live.server.gateway.sessions_started == 1


async def test_token_reset_while_running(live: LiveBot):
    """A token that Discord takes back ends the run for a person to act."""
    async with live.bot() as bot:
        await bot.wait_line("ready guilds=")
        await live.server.gateway.close(4004)
        assert "Discord refused discord.token" in await the_one_error(bot, ExitCode.CONFIG)
