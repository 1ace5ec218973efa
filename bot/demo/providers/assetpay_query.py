"""The queries of AssetPay's endpoints, validated as strictly as they are documented."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.demo.assetpay_trades import AssetPayTrade
from bot.demo.items import WorldItem
from bot.domain.steam import Game, SteamId

_Price = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")]
_Positive = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]


class InventoryQuery(BaseModel):
    """The parameters that all endpoints share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    game: Literal["730", "252490"] = "730"
    refresh: Literal["true", "false"] = "false"
    search: str = ""
    sort: str = "relevance"
    min_price: _Price | None = Field(None, alias="minPrice")
    max_price: _Price | None = Field(None, alias="maxPrice")
    page: _Positive = "1"
    limit: str = "50"

    @property
    def app(self) -> Game:
        """The game."""
        return Game(int(self.game))

    def select(self, items: Iterable[WorldItem]) -> tuple[list[WorldItem], int]:
        """Return the items of the requested page, and how many match on all pages."""
        kept = [item for item in items if self._matches(item)]
        sort = self.sort.lower()
        if sort.startswith("price"):
            sign = -1 if sort.endswith("desc") else 1
            kept.sort(key=lambda item: (item.offer is None, sign * (item.offer or 0)))  # no offer comes last
        elif sort.startswith("name"):
            kept.sort(key=lambda item: item.name.casefold(), reverse=sort.endswith("desc"))
        if self.limit == "-1":
            return kept, len(kept)
        size = int(self.limit)
        start = (int(self.page) - 1) * size
        return kept[start : start + size], len(kept)

    def _matches(self, item: WorldItem) -> bool:
        if self.search.casefold() not in item.market_hash_name.casefold():
            return False
        if self.min_price is None and self.max_price is None:
            return True
        low, high = Decimal(self.min_price or 0), Decimal(self.max_price or "Infinity")
        return item.offer is not None and low <= item.offer <= high


class ClientQuery(InventoryQuery):
    """``/client/inventory`` of api.assetpay.gg (seed 001); a ``limit`` of -1 turns paging off."""

    search: str = Field("", max_length=100)
    sort: Literal["relevance", "priceAsc", "priceDesc", "nameAsc", "nameDesc"] = "relevance"
    limit: Literal["-1"] | _Positive = "50"


class SecureQuery(ClientQuery):
    """``/secure/inventory`` of api.assetpay.gg (seed 000)."""

    trade_url: str = Field(alias="tradeUrl")


class LegacyQuery(InventoryQuery):
    """``/client/inventory`` of api.assetpay.co (seed 002), which documents only ``price_asc`` of the orders."""

    sort: Literal["relevance", "price_asc", "price_desc", "name_asc", "name_desc"] = "relevance"
    limit: _Positive = Field("50", alias="perPage")


class NoQuery(BaseModel):
    """No parameters at all."""

    model_config = ConfigDict(extra="forbid")


class _AnyTradesQuery(BaseModel):
    """The query parameters of trades that both dialects share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str | None = None
    game: Literal["730", "252490"] = "730"

    def matching(self, trades: Iterable[AssetPayTrade], owner: SteamId) -> list[AssetPayTrade]:
        """Return the owner's trades of this game and type, newest first."""
        kind = self.type and self.type.lower()
        found = [
            trade
            for trade in trades
            if trade.owner.steam_id == owner and trade.game == int(self.game) and kind in (None, trade.kind)
        ]
        return sorted(found, key=lambda trade: (trade.created_at, trade.id), reverse=True)


class TradesQuery(_AnyTradesQuery):
    """``/client/trades`` of api.assetpay.gg (trades.md, 1.3)."""

    type: Literal["deposit", "withdraw"] | None = None
    cursor: str | None = None
    limit: Annotated[str, Field(pattern=r"^([1-9][0-9]?|100)$")] = "20"

    def page(self, trades: Sequence[AssetPayTrade]) -> tuple[Sequence[AssetPayTrade], str | None] | None:
        """Return the trades after ``cursor`` and the next cursor, None at the end; None for an unknown cursor."""
        start = 0
        if self.cursor is not None:
            start = next((place for place, trade in enumerate(trades, 1) if _cursor(trade) == self.cursor), 0)
            if start == 0:
                return None
        end = start + int(self.limit)
        return trades[start:end], _cursor(trades[end - 1]) if end < len(trades) else None


class LegacyTradesQuery(_AnyTradesQuery):
    """``/client/trades`` of api.assetpay.co (trades.md, 2)."""

    type: Literal["DEPOSIT", "WITHDRAW"] | None = None
    page: _Positive = "1"
    limit: _Positive = "10"


def _cursor(trade: AssetPayTrade) -> str:
    """Return a cursor that continues after a trade; it has characters that a query has to encode."""
    return base64.b64encode(f"->{trade.id}??".encode()).decode()
