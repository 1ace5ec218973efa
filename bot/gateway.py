"""Keeps a client connected to Discord's gateway, and says why a connection ended.

discord.py's own loop fails for good if the first connection does, reconnects without a pause after most close codes,
waits up to 17 minutes after a long outage, and logs a traceback for each attempt.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.discord_faults import close_code, discord_fault

_CONNECT_WITHIN = 30.0
_LONGEST_PAUSE = 60.0
_STABLE_AFTER = 60.0
"""Seconds after which a connection counts as one that works."""

_LONGEST_SHARE = 300.0
"""Seconds to wait for a session while Discord still allows some."""


async def stay_connected(client: discord.Client, *, on_lost: Callable[[str], None]) -> None:
    """Connect, and again after each loss, until the client is closed; raise an error that only a person can correct.

    ``on_lost`` is called with the reason each time there is no connection.
    """
    loop = asyncio.get_running_loop()
    resumption: Mapping[str, Any] = {}
    failures = 0
    while not client.is_closed():
        socket: DiscordWebSocket | None = None
        began, reason, pause, may_resume = loop.time(), "", None, True
        try:
            if not resumption:
                await _await_session_start(client, tell=on_lost)
            opening = DiscordWebSocket.from_client(
                client, shard_id=client.shard_id, initial=client.ws is None, **resumption
            )
            socket = client.ws = await asyncio.wait_for(opening, _CONNECT_WITHIN)
            while True:
                await socket.poll_event()
        except ReconnectWebSocket as ended:
            reason, may_resume = _reason(socket), ended.resume
        except Exception as error:
            if client.is_closed():
                return
            fault = discord_fault(error)
            if fault is None or fault.is_permanent:
                raise
            reason, pause = fault.what, fault.retry_after
        failures = 0 if loop.time() - began > _STABLE_AFTER else failures + 1
        if pause is None:
            pause = random.uniform(0.5, 1) * min(2.0 ** (failures - 1), _LONGEST_PAUSE)  # noqa: S311 -- no secret
        client.dispatch("disconnect")
        on_lost(f"{reason}; next attempt in {pause:.0f} s")
        await asyncio.sleep(pause)
        resumption = _resumption(client.ws) if may_resume else {}


def _resumption(socket: DiscordWebSocket | None) -> Mapping[str, Any]:
    """Return the arguments that resume the session of a connection, if it has one."""
    if socket is None or socket.session_id is None:
        return {}
    return {
        "resume": True,
        "session": socket.session_id,
        "sequence": socket.sequence,
        "gateway": socket.gateway,
    }


def _reason(socket: DiscordWebSocket | None) -> str:
    if socket is None:
        return "Discord closed the connection before its first message"
    if socket._close_code is not None:  # noqa: SLF001 -- discord.py does not tell who closed
        return "Discord asked for a new connection, or did not answer in time"
    return close_code(socket.socket.close_code)


async def _await_session_start(client: discord.Client, *, tell: Callable[[str], None]) -> None:
    """Wait until Discord allows another session: it resets the token of a bot that begins more than 1,000 a day.

    From half of them on, the others are spread over the time until Discord counts from the start again. So a crash loop
    cannot use them up, and some are left once its cause is gone.
    """
    while True:
        answer = await client.http.request(discord.http.Route("GET", "/gateway/bot"))
        limit = answer["session_start_limit"]
        left, until_reset = limit["remaining"], limit["reset_after"] / 1_000
        if left * 2 >= limit["total"]:
            return
        wait = min(until_reset / left, _LONGEST_SHARE) if left > 0 else until_reset
        tell(f"{left} of Discord's {limit['total']} sessions a day are left: the next one begins in {wait:.0f} s")
        await asyncio.sleep(wait)
        if left > 0:
            return
