"""Checks Steam's sign-in page, where sign-ins are on."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from bot.checks.findings import Finding, ok, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.config import Settings

_KEY = "links.steam_openid_url"


async def check_steam(settings: Settings, heard: Callable[[str | None], None]) -> Sequence[Finding]:
    """Ask Steam whether it has signed nothing at all: it says no, and keeps nothing of it."""
    address = settings.links.steam_openid_url
    question = {"openid.ns": "http://specs.openid.net/auth/2.0", "openid.mode": "check_authentication"}
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=13)) as session,
            session.post(address, data=question, allow_redirects=False) as answer,
        ):
            heard(answer.headers.get("Date"))
            status = answer.status
    except (aiohttp.ClientError, OSError) as error:
        what = f"Steam's sign-in page gives no answer ({type(error).__name__})"
    else:
        if status == HTTPStatus.OK:
            return [ok("steam", "Steam's sign-in page answers")]
        what = f"Steam's sign-in page answers with HTTP {status}"
    return [unreachable("steam", what, f"look at the network, at steamstat.us and at {_KEY}", key=_KEY)]
