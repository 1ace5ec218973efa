"""AssetPay's trades as trades.md, 1 and 2, describe them: keys, tokens, parameters, pages and refusals."""

import json
from dataclasses import dataclass, field
from urllib.parse import unquote

from bot.domain.steam import SteamId, TradeUrl
from tests.providers.conftest import TRADE_URL
from tests.support.loopback import Recorded, Reply, as_json

OWNER = TRADE_URL.steam_id
TOKEN = "AbCdEfG1"
KEY = "ap_CANARY"
CS2, RUST = "730", "252490"


def trade(number: int = 1, owner: SteamId | None = OWNER, **changed: object) -> dict[str, object]:
    """Return the example of trades.md, 1.9, with its number and changes."""
    return {
        "id": f"0b5c0000-0000-0000-0000-{number:012}", "type": "deposit", "source": "client", "status": "hold",
        "game": CS2, "externalId": f"dep_{number}", "merchantId": "m", "clientUserId": "c",
        "clientSteamID": str(owner),
        "clientTradeUrl": f"https://steamcommunity.com/tradeoffer/new/?partner=52079950&token={TOKEN}",
        "items": [item()], "totalPrice": 10.75, "preCredit": 8.6, "pendingCredit": 2.15, "isInstant": True,
        "offerID": f"9088{number:06}", "holdEndDate": "2026-03-11T10:00:00.000Z",
        "botInfo": {"name": "b1", "steamId": "76561198111111111"},
        "createdAt": "2026-03-04T10:00:00.000Z", "updatedAt": "2026-03-04T10:05:00.000Z", **changed,
    }  # fmt: skip


def item(**changed: object) -> dict[str, object]:
    """Return the example's item, with changes."""
    name = "AK-47 | Redline (Field-Tested)"
    offer = {"price": 10.75, "accepted": True}
    return {"id": "e1", "assetId": "1234567", "appid": 730, "tradable": True, "marketHashName": name, "offer": offer,
            **changed}  # fmt: skip


def said(data: object) -> Reply:
    return as_json({"requestId": "r-1", "success": True, "data": data})


def refused(code: int, key: str | None, status: int = 400, **error: object) -> Reply:
    return as_json({"requestId": "r-1", "success": False, "error": {"code": code, "key": key, **error}}, status)


@dataclass
class FakeAssetPay:
    """One merchant's AssetPay, as the script of a loopback server. ``check`` is the answer about every trade URL."""

    trades: list[dict[str, object]] = field(default_factory=list)
    is_legacy: bool = False
    issued: dict[str, str] = field(default_factory=dict)
    """The account of each client token that is good."""
    check: dict[str, object] = field(default_factory=dict)

    def __call__(self, asked: Recorded) -> Reply:
        if asked.path == "/client/trades":
            owner = self.issued.get(asked.header("Authorization") or "")
            return refused(1102, "INVALID_TOKEN", 401) if owner is None else self._list(asked, owner)
        if asked.header("api-key") != KEY:
            return refused(1901, "INVALID_API_KEY", 401)
        body = json.loads(asked.body or "{}")
        if (asked.method, asked.path) == ("POST", "/auth/authenticate-client"):
            return self._issue(body)
        if (asked.method, asked.path) == ("POST", "/secure/check-tradeurl"):
            fine = body == {"tradeurl": TRADE_URL.canonical()}
            return said(self.check) if fine else refused(1001, "VALIDATION_FAILED")
        assert (asked.method, asked.path[:15], asked.query) == ("GET", "/secure/trades/", [])
        return self._find([unquote(part) for part in asked.path[15:].split(",")])

    def _issue(self, body: dict[str, str]) -> Reply:
        url: TradeUrl = TRADE_URL
        if body != {"clientSteamId": str(url.steam_id), "clientTradeUrl": url.canonical()}:
            return refused(1001, "VALIDATION_FAILED")
        token = f"token{len(self.issued) + 1}"
        self.issued[token] = str(url.steam_id)
        return said({"token": token})

    def _find(self, references: list[str]) -> Reply:
        assert len(references) == len(set(references)) <= 100
        found = [each for each in self.trades if {each["id"], each["externalId"]} & set(references)]
        if len(references) > 1:
            return said(found)
        return said(found[0]) if found else refused(21, "TRADE_NOT_FOUND", 404)

    def _list(self, asked: Recorded, owner: str) -> Reply:
        query = dict(asked.query)
        known = {"type", "game", "limit", "page" if self.is_legacy else "cursor"}
        limit = int(query["limit"])
        if not query.keys() <= known or not 1 <= limit <= 100:
            return refused(1001, "VALIDATION_FAILED")
        rows = [each for each in self.trades if (each["clientSteamID"], each["game"]) == (owner, query["game"])]
        if self.is_legacy:
            begin = (int(query["page"]) - 1) * limit
            return said({"trades": rows[begin : begin + limit], "count": len(rows)})
        begin = int(query.get("cursor", "c0")[1:])
        end = begin + limit
        return said({"items": rows[begin:end], "nextCursor": f"c{end}" if end < len(rows) else None})
