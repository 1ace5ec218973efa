"""Discord's own trouble is told from mistakes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.ui.interaction.discord_errors import is_trouble_of_discord


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), aiohttp.ServerDisconnectedError()])
async def test_network(error: Exception) -> None:
    """An error of the network is Discord's trouble if it comes from a request to Discord."""

    async def on_start(*_: object) -> None:
        raise error

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    http = discord.http.HTTPClient(asyncio.get_running_loop(), http_trace=trace)
    elsewhere = is_trouble_of_discord(error)
    with pytest.raises(type(error)) as raised:
        await http.static_login("token")
    await http.close()

    assert is_trouble_of_discord(raised.value)
    assert elsewhere == isinstance(error, aiohttp.ClientError)


@pytest.mark.parametrize(
    ("status", "expected"), [(500, True), (503, True), (524, True), (429, True), (400, False), (403, False)]
)
def test_status(status: int, *, expected: bool) -> None:
    """Discord's trouble is told by the status of its answer."""
    answer: Any = SimpleNamespace(status=status, reason="")

    assert is_trouble_of_discord(discord.HTTPException(answer, None)) == expected
    assert not is_trouble_of_discord(ValueError())
