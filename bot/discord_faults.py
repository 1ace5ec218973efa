"""Names what keeps SkinDesk from Discord, from the errors of discord.py and of the network."""

import errno
import json
import socket
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten

import aiohttp
import discord

from bot.observability.discord_http import NotFromDiscord, retry_after

CLOSE_CODES: Mapping[int, str] = {
    1000: "closed in order",
    1001: "Discord's server goes away",
    1006: "the connection was lost",
    4000: "an unknown error",
    4001: "an unknown opcode",
    4002: "a message that Discord could not read",
    4003: "not authenticated",
    4004: "the token was refused",
    4005: "already authenticated",
    4007: "an invalid sequence",
    4008: "too many messages",
    4009: "the session timed out",
    4010: "an invalid shard",
    4011: "the bot is in too many servers for one shard",
    4012: "an API version that Discord no longer has",
    4013: "invalid intents",
    4014: "intents that are not allowed",
}
"""The meaning of the gateway's close codes."""

_TOKEN_REFUSED = "Discord refused discord.token: copy it again from the application's Bot page"  # noqa: S105 -- no token
_INTENTS = (
    "Discord refused the intents (close code {}), although SkinDesk asks for servers only: look at the application's "
    "Bot page in the developer portal, and report it"
)
_FOR_A_PERSON: Mapping[int, str] = {
    4004: _TOKEN_REFUSED,
    4010: ("Discord refused the shard (close code 4010): look at discord.shards; if it is empty, report it"),
    4011: (
        "the bot is in too many servers for so few shards (close code 4011): raise their number in discord.shards, in "
        "all processes; if it is empty, start SkinDesk again, and it takes as many as Discord recommends"
    ),
    4012: "Discord no longer has the API version that SkinDesk speaks (close code 4012): install a newer SkinDesk",
    4013: _INTENTS.format(4013),
    4014: _INTENTS.format(4014),
}
_UNAUTHORIZED, _TOO_MANY, _LOGIN_TO_NETWORK = 401, 429, 511
_MISSING_ACCESS = 50001
_NETWORK = (ConnectionError, TimeoutError, socket.gaierror)
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class DiscordFault:
    """A line for the log, and whether only a person can help; if not, it may pass, after ``retry_after`` seconds."""

    what: str
    is_permanent: bool = False
    retry_after: float | None = None


def discord_fault(error: BaseException) -> DiscordFault | None:
    """Return the fault behind an error, also if it is wrapped or in a group; None for an error of another kind."""
    if isinstance(error, BaseExceptionGroup):
        faults = [discord_fault(each) for each in error.exceptions]
        known = [each for each in faults if each is not None]
        return max(known, key=lambda each: each.is_permanent) if len(known) == len(faults) else None
    fault = _of_discord(error) or _of_network(error)
    if fault is None and error.__cause__ is not None:
        fault = discord_fault(error.__cause__)
    if fault is None and isinstance(error, discord.GatewayNotFound):
        fault = DiscordFault("Discord does not name its gateway: look at discordstatus.com")
    return fault


def _of_discord(error: BaseException) -> DiscordFault | None:
    match error:
        case discord.LoginFailure() | discord.HTTPException(status=401):
            return DiscordFault(_TOKEN_REFUSED, is_permanent=True)
        case discord.PrivilegedIntentsRequired():
            return DiscordFault(_FOR_A_PERSON[4014], is_permanent=True)
        case discord.ConnectionClosed(code=code):
            if code in _FOR_A_PERSON:
                return DiscordFault(_FOR_A_PERSON[code], is_permanent=True)
            return DiscordFault(f"Discord's gateway closed the connection: {close_code(code)}")
        case discord.HTTPException():
            return _of_answer(error)
    return None


def _of_answer(error: discord.HTTPException) -> DiscordFault:
    asked = "the commands" if error.response.url.path.endswith("/commands") else "a request of the start"
    if error.status == _TOO_MANY:
        wait = retry_after(error.response)
        return DiscordFault(f"Discord limits requests (HTTP 429), {_wait(wait)}", retry_after=wait)
    if error.status >= 500:  # noqa: PLR2004 -- HTTP's
        return DiscordFault(f"Discord fails (HTTP {error.status}): look at discordstatus.com")
    if asked == "the commands" and error.code == _MISSING_ACCESS:
        what = "Discord does not let SkinDesk register its commands: invite it to all of discord.command_guild_ids"
        return DiscordFault(what, is_permanent=True)
    return DiscordFault(
        f"Discord refused {asked}: HTTP {error.status}, code {error.code} ({shorten(error.text, _LONGEST_TEXT)})"
    )


def _of_network(error: BaseException) -> DiscordFault | None:
    match error:
        case NotFromDiscord():
            return _of_page(error)
        case aiohttp.WSServerHandshakeError(status=status):
            what = f"Discord's gateway answered HTTP {status} instead of a connection: look at discordstatus.com"
        case ssl.SSLError() | aiohttp.ClientSSLError():
            what = (
                f"the connection to Discord is not secure ({_tls(error)}): look at this machine's clock and "
                "certificates, and for a proxy or a login page of the network"
            )
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            what = "Discord's name cannot be resolved: look at this machine's DNS and network"
        case aiohttp.ClientConnectorError():
            reason = error.os_error.strerror or type(error.os_error).__name__
            what = f"Discord cannot be reached ({reason}): look at this machine's network and firewall"
        case json.JSONDecodeError() | UnicodeDecodeError() | zlib.error():
            what = "an answer of Discord could not be read: look for a proxy, and at discordstatus.com"
        case aiohttp.ClientError() | OSError() if _is_network(error):
            what = f"Discord cannot be reached ({type(error).__name__}): look at the network and discordstatus.com"
        case _:
            return None
    return DiscordFault(what)


def _is_network(error: BaseException) -> bool:
    if isinstance(error, aiohttp.ClientError | ConnectionError | TimeoutError):
        return True
    return isinstance(error, OSError) and error.errno in _NO_ROUTE


def _of_page(page: NotFromDiscord) -> DiscordFault:
    facts = f"HTTP {page.status}{f', {page.hint}' if page.hint else ''}"
    if page.is_cloudflare:
        return DiscordFault(
            f"Cloudflare, which stands before Discord, refuses this machine ({facts}), {_wait(page.retry_after)}: "
            "it passes; if it does not, other programs may use the same address",
            retry_after=page.retry_after,
        )
    if page.is_redirected or page.status in (200, _LOGIN_TO_NETWORK):
        what = f"a web page answered instead of Discord ({facts}): this network may want a login first, or has a proxy"
    else:
        what = f"a web page answered instead of Discord ({facts}): look for a proxy or a firewall in this network"
    return DiscordFault(what, retry_after=page.retry_after)


def _wait(seconds: float | None) -> str:
    return "and does not say for how long" if seconds is None else f"and asks to wait {seconds:.0f} s"


def _tls(error: BaseException) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__)


def close_code(code: int | None) -> str:
    """Return a close code of the gateway with its meaning."""
    return f"code {code} ({CLOSE_CODES.get(code or 0, 'unknown')})"
