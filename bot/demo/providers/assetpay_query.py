"""The queries of AssetPay's inventory endpoints, validated as strictly as they are documented."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.demo.items import WorldItem
from bot.domain.steam import Game

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
