"""Trades as AssetPay shows them: the current shape (trades.md, 1.5) and the older one (trades.md, 2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.demo.assetpay_trades import AssetPayTrade, TradedItem, WorldBot
from bot.demo.items import WorldItem
from bot.demo.providers import assetpay_items
from bot.demo.providers.tokens import MERCHANT_ID


def current_trade(trade: AssetPayTrade) -> dict[str, Any]:
    """Return a trade of api.assetpay.gg."""
    row = _trade(trade, assetpay_items.client_item, status_name="status")
    return row | {"source": "client"} | assetpay_items.present({"activeAt": _date(trade.offered_at)})


def legacy_trade(trade: AssetPayTrade) -> dict[str, Any]:
    """Return a trade of api.assetpay.co."""
    row = _trade(trade, assetpay_items.legacy_item, status_name="purchaseStatus")
    return row | {"type": trade.kind.upper()} | assetpay_items.present({"readyAt": _date(trade.offered_at)})


def _trade(
    trade: AssetPayTrade, item_row: Callable[[WorldItem], dict[str, Any]], *, status_name: str
) -> dict[str, Any]:
    """Return what both shapes share. The trade URL holds the owner's trade token, as in the real one."""
    return assetpay_items.present(
        {
            "id": trade.id,
            "type": trade.kind,
            "status": trade.status,
            "game": str(int(trade.game)),
            "merchantId": MERCHANT_ID,
            "clientUserId": f"c-{trade.owner.steam_id.account_id}",
            "clientSteamID": str(trade.owner.steam_id),
            "clientTradeUrl": trade.owner.trade_url,
            "items": [_item(trade, traded, item_row(traded.item), status_name) for traded in trade.items],
            "totalPrice": float(trade.total),
            "preCredit": _number(trade.pre_credit),
            "pendingCredit": _number(trade.pending_credit),
            "isInstant": trade.is_instant,
            "externalId": trade.shop_reference,
            "externalClientUserId": trade.shop_user,
            "offerID": trade.offer_id,
            "holdEndDate": _date(trade.hold_ends),
            "autoCancelAt": _date(trade.cancels_at),
            "revertedBy": trade.reverted_by,
            "error": trade.error,
            "botInfo": _bot(trade.bot) if trade.bot is not None else None,
            "createdAt": _date(trade.created_at),
            "updatedAt": _date(trade.updated_at),
        }
    )


def _item(trade: AssetPayTrade, traded: TradedItem, row: dict[str, Any], status_name: str) -> dict[str, Any]:
    """Return one item. A fresh withdrawal's items have no names yet; only a withdrawal's have a status."""
    facts = row | {"assetId": traded.item.asset_id}
    if trade.kind == "withdraw" and trade.status.lower() == "initiated":
        facts = {name: row[name] for name in ("id", "appid", "tradable")}
    facts["offer"] = {"price": float(traded.price), "accepted": True, "maxAmount": 1}
    return facts | assetpay_items.present({status_name: traded.status, "error": traded.error})


def _bot(bot: WorldBot) -> dict[str, str]:
    return {"name": bot.name, "steamId": str(bot.steam_id), "joined": _date(bot.joined) or ""}


def _date(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
