"""AssetPay's answers: the envelope, refusals with their details, and pages of an inventory (seeds 000 to 002)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
from typing import Annotated, Any, Literal, Required

from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from bot.domain.failures import Dialect, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, InventoryQuery, Item, refusal_of
from bot.domain.money import Money
from bot.providers.item_rows import StickerRow, money, stickers_of
from bot.providers.reading import MAX_ITEMS, Fields, Refused, Unreadable, identifier, plain_number
from bot.providers.rows import Amount, Count, Id, Integer, Text, Wear, moment_from, read_row, read_rows

_COLOUR = re.compile(r"#([0-9A-Fa-f]{6})", re.ASCII)
_MAX_DETAILS = 20
_MAX_DEPTH = 4


class OfferRow(TypedDict, total=False):
    """An item's ``offer``; ``reference`` belongs to deposits, which SkinDesk does not make."""

    price: Amount | None
    accepted: bool | None
    maxAmount: Count | None


class ItemRow(TypedDict, total=False):
    """An item of ``inventory``. Everything but the id may be missing (providers.md, 1.4)."""

    id: Required[Id]
    name: Text | None
    marketHashName: Text | None
    type: Text | None
    iconUrl: Text | None
    appid: Integer | None
    tradable: bool | None
    accepted: bool | None
    marketPrice: Amount | None
    offer: OfferRow | None
    exterior: Text | None
    wear: Wear | None
    rarity: Text | None
    color: Text | None
    paintSeed: Count | None
    propId: Text | None
    previewToken: Text | None
    """The newer documents' name of ``propId``."""
    stickers: list[StickerRow] | None
    amount: Annotated[Count, Field(ge=1)] | None


class DataRow(TypedDict, total=False):
    """What ``data`` says beside its items."""

    count: Count | None
    updatedAt: Any
    collateral: Amount | None


class InventoryData(DataRow):
    """``data`` of an inventory."""

    inventory: Annotated[list[ItemRow], Field(max_length=MAX_ITEMS)]


class InventoryAnswer(BaseModel):
    """A whole answer with an inventory in which nothing is odd."""

    success: Literal[True]
    data: InventoryData
    requestId: str | None = None  # noqa: N815 -- the provider's word


_ITEM = TypeAdapter(ItemRow)
_DATA = TypeAdapter(DataRow)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of an inventory; ``count`` is the provider's number of matching items, if it gives one."""

    items: tuple[Item, ...]
    count: int | None
    updated_at: datetime | None
    collateral: Money | None
    left_out: int = 0
    request_id: str | None = None

    @property
    def rows(self) -> int:
        """How many items the provider sent, with those that could not be read."""
        return len(self.items) + self.left_out

    def inventory(
        self, provider: ProviderName, query: InventoryQuery, *, read_at: datetime, owner_certain: bool = True
    ) -> Inventory:
        """Return the inventory of this page, sorted, because not every dialect documents its order."""
        return Inventory(
            provider=provider,
            owner=query.trade_url.steam_id,
            game=query.game,
            items=InventoryFilter(sort=query.filter.sort).apply(self.items),
            total=max((self.count or 0) - self.left_out, len(self.items)),
            updated_at=self.updated_at or read_at,
            collateral=self.collateral,
            owner_certain=owner_certain,
            left_out=self.left_out,
            request_id=self.request_id,
        )


class PageReader:
    """Reads an inventory's answer in a dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._is_legacy = dialect is Dialect.ASSETPAY_LEGACY

    def whole(self, body: bytes) -> Page:
        """Read an answer in which nothing is odd; ValueError for any other."""
        answer = InventoryAnswer.model_validate_json(body)
        data = answer.data
        return self._page(data["inventory"], data, request_id=answer.requestId)

    def tolerant(self, answer: Fields) -> Page:
        """Read an answer by row and value; Refused for an error, Unreadable for neither."""
        check_success(answer)
        # PHP writes an empty object as an empty list.
        data = Fields({"inventory": []}, "data") if answer.values.get("data") == [] else answer.need("data")
        facts = {name: value for name, value in data.values.items() if name != "inventory"}
        said = read_row(_DATA, facts, data.place, answer.note) or {}
        if "inventory" not in data.values and said.get("count") != 0:
            raise Unreadable(data.at("inventory"))
        rows, left_out = read_rows(
            _ITEM, data.values.get("inventory"), data.at("inventory"), answer.note, instead={"offer": None}
        )
        return self._page(rows, said, request_id=answer.values.get("requestId"), left_out=left_out)

    def _page(self, rows: list[ItemRow], data: DataRow, *, request_id: object, left_out: int = 0) -> Page:
        collateral = data.get("collateral")
        return Page(
            items=tuple([self._item(row) for row in rows]),
            count=data.get("count"),
            updated_at=moment_from(data.get("updatedAt")),
            collateral=None if collateral is None else money(collateral),
            left_out=left_out,
            request_id=identifier(request_id),
        )

    def _item(self, row: ItemRow) -> Item:
        offer, accepted, tradable = row.get("offer"), row.get("accepted"), row.get("tradable")
        price = max_amount = None
        if offer:
            price, max_amount = offer.get("price"), offer.get("maxAmount")
            # The older dialect has it beside the offer (seed 002), the current one in it; only one place is filled.
            if not self._is_legacy or accepted is None:
                inner = offer.get("accepted")
                accepted = accepted if inner is None else inner
        paid = None if price is None else money(price)
        market_price, wear = row.get("marketPrice"), row.get("wear")
        market_hash_name, colour, stickers = row.get("marketHashName") or None, row.get("color"), row.get("stickers")
        return Item(  # by position: by name it takes four times as long, for each of up to thousands of items
            row["id"],
            row.get("name") or market_hash_name or row["id"],
            refusal_of(tradable=tradable, accepted=accepted and max_amount != 0, offer=paid),
            row.get("appid"),
            market_hash_name,
            row.get("type") or None,
            tradable,
            paid,
            None if market_price is None else money(market_price),
            row.get("amount") or 1,
            max_amount,
            row.get("exterior") or None,
            None if wear is None else Decimal(wear),
            stickers_of(stickers) if stickers else (),
            row.get("paintSeed"),
            row.get("rarity") or None,
            _colour_of(colour) if colour else None,
            row.get("iconUrl") or None,
            row.get("propId") or row.get("previewToken") or None,
        )


def check_success(answer: Fields) -> None:
    """Raise Refused for an error, Unreadable for neither an error nor a success.

    The envelope alone decides: the HTTP status of an error changed between versions (providers.md, 6).
    """
    if answer.truth("success", optional=True):
        answer.says_success = True
        return
    error = answer.part("error")
    if error is None:
        raise Unreadable("success")
    key, message = identifier(error.values.get("key")), error.values.get("message")
    sentences = [part for part in (message if isinstance(message, list) else [message]) if isinstance(part, str)]
    details = chain(details_of(error.values.get("fields")), details_of(error.values.get("details")))
    raise Refused(
        FailureKind.THROTTLED if key == "RATE_LIMITED" else FailureKind.REFUSED,
        code=error.integer("code", optional=True),
        key=key,
        message="; ".join(sentences) or None,
        request_id=identifier(answer.values.get("requestId")),
        details=tuple(islice(details, _MAX_DETAILS)),
    )


def read_data(answer: Fields) -> Fields:
    """Return ``data`` of a success; Refused for an error, Unreadable for neither."""
    check_success(answer)
    return answer.need("data")


def details_of(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the values of an object and of the objects in it, with their paths (``items[0].quoted``)."""
    if isinstance(value, dict | list):
        if depth < _MAX_DEPTH:
            for path, part in _parts(value, name):
                yield from details_of(part, path, depth + 1)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, str) or plain_number(value) is not None:
        yield name, str(value)


def _parts(value: dict[str, object] | list[object], name: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, list):
        return ((f"{name}[{index}]", part) for index, part in enumerate(value))
    return ((f"{name}.{inner}" if name else inner, part) for inner, part in value.items())


@lru_cache(maxsize=256)
def _colour_of(text: str) -> int | None:
    colour = _COLOUR.fullmatch(text)
    return int(colour[1], 16) if colour else None
