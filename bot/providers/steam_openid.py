"""Asks Steam's OpenID 2.0 endpoint to verify an assertion."""

from collections.abc import Mapping

from bot.domain.errors import ProviderError, SteamUnavailable
from bot.domain.sign_in import OPENID_NS
from bot.providers.transport import Limits, Transport

LIMITS = Limits(wait=2.0, connect=4.0, read=8.0, deadline=8.0, body=4096, connections=8, idle_connections=1)
"""Short, because a browser waits for the page meanwhile. The answer has two short lines."""

_OK = 200


class HttpSteamOpenId:
    """The endpoint over a transport whose ``base_url`` is the endpoint's whole address."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def confirms(self, assertion: Mapping[str, str]) -> bool:
        """Ask once, with all parameters but the mode unchanged (OpenID 2.0, 11.4.2.1).

        SteamUnavailable unless the answer is a clear yes or a clear no.
        """
        form = {**assertion, "openid.mode": "check_authentication"}
        try:
            response = await self._transport.request(
                "POST", form=form.items(), headers={"Accept": "text/plain, */*;q=0.1"}, fresh=True
            )
        except ProviderError as failed:
            raise SteamUnavailable from failed
        fields = _key_values(response.body) if response.status == _OK else {}
        if fields.get("ns") != OPENID_NS or fields.get("is_valid") not in ("true", "false"):
            self._transport.note_unexpected("check_authentication")
            raise SteamUnavailable
        return fields["is_valid"] == "true"


def _key_values(body: bytes) -> dict[str, str]:
    """Read key-value form (OpenID 2.0, 4.1.1); empty if a line has no colon or a key is repeated."""
    try:
        lines = body.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        return {}
    pairs = [line.split(":", 1) for line in lines]
    fields = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 -- a key and a value
    return fields if len(fields) == len(pairs) else {}
