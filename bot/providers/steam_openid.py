"""Steam's OpenID 2.0 endpoint: asks it whether an assertion is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.errors import ProviderError, SteamUnavailable
from bot.domain.sign_in import OPENID_NS
from bot.providers.transport import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.providers.transport import Transport

LIMITS = Limits(wait=2.0, connect=4.0, read=8.0, deadline=8.0, body=4096, connections=8, idle_connections=1)
"""Somebody sits before a white page meanwhile, and the answer has two short lines."""

_OK = 200


class HttpSteamOpenId:
    """The endpoint over a transport whose ``base_url`` is the endpoint's whole address."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def confirms(self, assertion: Mapping[str, str]) -> bool:
        """Ask once (OpenID 2.0, 11.4.2.1): all parameters as they came, but for the mode.

        SteamUnavailable for everything that is neither a clear yes nor a clear no.
        """
        form = {**assertion, "openid.mode": "check_authentication"}
        try:
            answer = await self._transport.request(
                "POST", form=form.items(), headers={"Accept": "text/plain, */*;q=0.1"}, fresh=True
            )
        except ProviderError as failed:
            raise SteamUnavailable from failed
        said = _key_values(answer.body) if answer.status == _OK else {}
        if said.get("ns") != OPENID_NS or said.get("is_valid") not in ("true", "false"):
            self._transport.unexpected.note("check_authentication")
            raise SteamUnavailable
        return said["is_valid"] == "true"


def _key_values(body: bytes) -> dict[str, str]:
    """Read key-value form (OpenID 2.0, 4.1.1); nothing where a line has no colon or a key comes twice."""
    try:
        lines = body.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        return {}
    pairs = [line.split(":", 1) for line in lines]
    read = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 -- a key and a value
    return read if len(read) == len(pairs) else {}
