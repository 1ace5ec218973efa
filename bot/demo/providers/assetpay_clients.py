"""AssetPay's client tokens: whose inventory a call of ``/client/…`` is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.demo.providers import jwts
from bot.domain.steam import SteamId

if TYPE_CHECKING:
    from bot.demo.world import World

LIFETIME = timedelta(hours=24)
"""How long a token lives, and the most that one may claim (providers.md, 1.2)."""

_MERCHANT_ID = "7b1f0c52-demo"
_CANONICAL = re.compile(
    r"https://steamcommunity\.com/tradeoffer/new/\?partner=(\d{1,10})&token=([A-Za-z0-9_-]{8})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Client:
    """A Steam account and its trade token, which is empty where a client token does not tell."""

    steam_id: SteamId
    trade_token: str = field(repr=False)


def read_trade_url(text: str) -> Client | None:
    """Read a trade URL in the one spelling that AssetPay accepts (providers.md, 1.3); None for any other."""
    match = _CANONICAL.fullmatch(text)
    if match is None:
        return None
    try:
        return Client(SteamId.from_account_id(int(match[1])), match[2])
    except ValueError:
        return None


class ClientTokens:
    """Issues client tokens and knows them again by their signature: none is stored.

    ``opaque`` holds tokens that say nothing by themselves, for tests of a merchant's fixed token.
    """

    def __init__(self, world: World, *, secret: str, names_merchant: bool) -> None:
        self._world = world
        self._secret = secret
        self._names_merchant = names_merchant
        self.opaque: dict[str, Client] = {}

    def issue(self, steam_id: SteamId, trade_url: str, *, lifetime: timedelta = LIFETIME) -> str:
        """Return a token for this account; a negative ``lifetime`` makes one that has expired."""
        now = int(self._world.now().timestamp())
        claims = {
            **({"merchantId": _MERCHANT_ID} if self._names_merchant else {}),
            "client": {"steamID": str(steam_id), "tradeUrl": trade_url},
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        return jwts.signed(claims, secret=self._secret, header={"userId": _MERCHANT_ID})

    def client(self, token: str) -> Client | None:
        """Return whose token it is; None for one that is expired, claims too long a life, or is none of ours."""
        if token in self.opaque:
            return self.opaque[token]
        claims = jwts.claims_of(token, secret=self._secret)
        if claims is None:
            return None
        left = claims["exp"] - self._world.now().timestamp()
        if not 0 < left <= LIFETIME.total_seconds():
            return None
        client = claims["client"]
        named = read_trade_url(client.get("tradeUrl", ""))
        return Client(SteamId.parse(client["steamID"]), named.trade_token if named is not None else "")
