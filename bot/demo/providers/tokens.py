"""JSON Web Tokens, and the client tokens of AssetPay."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.demo.world import World
from bot.domain.steam import SteamId

LIFETIME = timedelta(hours=24)
"""How long a client token is valid (providers.md, 1.2)."""

MERCHANT_ID = "7b1f0c52-demo"
_CANONICAL = re.compile(
    r"https://steamcommunity\.com/tradeoffer/new/\?partner=(\d{1,10})&token=([A-Za-z0-9_-]{8})", re.ASCII
)


def signed(claims: dict[str, Any], *, secret: str, header: dict[str, str] | None = None) -> str:
    """Return a token with these claims, signed with HS256; ``header`` adds to its header."""
    head = {"alg": "HS256", "typ": "JWT", **(header or {})}
    body = f"{_encode(json.dumps(head).encode())}.{_encode(json.dumps(claims).encode())}"
    return f"{body}.{_signature(body, secret)}"


def claims_of(token: str, *, secret: str) -> dict[str, Any] | None:
    """Return the claims of a token signed with ``secret``, None for any other. The caller checks ``exp``."""
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(body, secret).encode(), signature.encode("utf-8", "surrogateescape")):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(body.partition(".")[2] + "=="))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def _signature(body: str, secret: str) -> str:
    return _encode(hmac.digest(secret.encode(), body.encode("utf-8", "surrogateescape"), "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Client:
    """A Steam account and its trade token, which is empty if a client token does not contain it."""

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
    """Issues client tokens and recognises them by their signature.

    ``opaque`` are a merchant's fixed tokens, which have no readable claims.
    """

    def __init__(self, world: World, *, secret: str, names_merchant: bool) -> None:
        self._world = world
        self._secret = secret
        self._names_merchant = names_merchant
        self.opaque: dict[str, Client] = {}

    def issue(self, steam_id: SteamId, trade_url: str) -> str:
        """Return a token for this account."""
        now = int(self._world.now().timestamp())
        claims = {
            **({"merchantId": MERCHANT_ID} if self._names_merchant else {}),
            "client": {"steamID": str(steam_id), "tradeUrl": trade_url},
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
        }
        return signed(claims, secret=self._secret, header={"userId": MERCHANT_ID})

    def client(self, token: str) -> Client | None:
        """Return the client of a token; None if it is expired or unknown."""
        if token in self.opaque:
            return self.opaque[token]
        claims = claims_of(token, secret=self._secret)
        if claims is None or claims["exp"] <= self._world.now().timestamp():
            return None
        client = claims["client"]
        named = read_trade_url(client.get("tradeUrl", ""))
        return Client(SteamId.parse(client["steamID"]), named.trade_token if named is not None else "")
