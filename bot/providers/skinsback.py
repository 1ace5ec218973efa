"""SkinsBack: its calls, and the inventories of POST method=user_inventory (seed 003)."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal, Required, TypeVar

from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from bot.domain.errors import ProviderError
from bot.domain.failures import FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryQuery, Item, MerchantPrice, Refusal, refusal_of
from bot.domain.money import USD
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.providers.item_rows import StickerRow, money, stickers_of
from bot.providers.reading import MAX_ITEMS, Fields, Refused, Unreadable, identifier, read
from bot.providers.rows import Amount, Id, Integer, Text, read_rows
from bot.providers.transport import Transport

T = TypeVar("T")

_METHOD = "user_inventory"
_LIMIT_REACHED = (-7, "request_limit_reached")
_CURRENCY = re.compile(r"[A-Za-z]{1,8}", re.ASCII)


class SteamRow(TypedDict, total=False):
    """What Steam says of an item. ``class_id`` is one way to an image, and ``icon_url`` the one that is used."""

    asset_id: Required[Id]
    tradable: bool | None
    app_id: Integer | None
    icon_url: Text | None


class ItemRow(TypedDict, total=False):
    """An item: ``price`` and ``price_local`` are the merchant's side, ``multiplied_price_local`` the customer's."""

    item: Required[SteamRow]
    name: Text | None
    price: Amount | None
    stickers: list[StickerRow] | None
    disabled: bool | None
    price_local: Amount | None
    multiplied_price_local: Amount | None


class InventoryData(TypedDict, total=False):
    """``data`` of an inventory."""

    items: Required[Annotated[list[ItemRow], Field(max_length=MAX_ITEMS)]]
    currency_local: str | None


class InventoryAnswer(BaseModel):
    """A whole answer with an inventory in which nothing is odd."""

    status: Literal["success"]
    data: InventoryData


_ITEM = TypeAdapter(ItemRow)


@dataclass(frozen=True, slots=True)
class Shop:
    """The merchant's project at SkinsBack; ``auth`` is how its secret is used."""

    transport: Transport
    client_id: str
    client_secret: Secret
    auth: Literal["headers", "signature"] = "headers"

    async def ask(
        self,
        form: list[tuple[str, str]],
        reader: Callable[[Fields], T],
        *,
        whole: Callable[[bytes], T] | None = None,
        secrets: Iterable[Secret] = (),
    ) -> T:
        """Make a call and read its answer as :func:`reading.read` does; ProviderError otherwise.

        The limit of requests is the project's, for all methods and all accounts, and its shop uses it up, too. How long
        SkinsBack refuses then is not documented: SkinDesk asks again once the minute that it counts has passed.
        """
        headers, form = self._signed(form)
        response = await self.transport.request("POST", headers=headers, form=form)
        try:
            return await read(response, reader, whole=whole, secrets=(self.client_secret, *secrets))
        except ProviderError as error:
            if _is_limit(error.failure.code, error.failure.key):
                await self.transport.pause("POST", "")
            raise

    def _signed(self, form: list[tuple[str, str]]) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Return the headers and the form with the credentials in one of them (providers.md, 3.1)."""
        if self.auth == "headers":
            return {"X-CLIENT-ID": self.client_id, "X-CLIENT-SECRET": self.client_secret.reveal()}, form
        form = [*form, ("shopid", self.client_id)]
        message = "".join(f"{name}:{value};" for name, value in sorted(form))
        sign = hmac.new(self.client_secret.reveal().encode(), message.encode(), hashlib.sha1).hexdigest()
        return {}, [*form, ("sign", sign)]


class SkinsBack:
    """Inventories by SteamID and trade token.

    ``currency`` may be empty. ``custom_prices`` are the seed's parameters ``custom_multiplier``, ``custom_currency``
    and ``custom_currency_rate``, those that are set.
    """

    name = ProviderName.SKINSBACK
    games = frozenset({Game.CS2, Game.DOTA2, Game.RUST})

    def __init__(
        self, shop: Shop, *, currency: str = "", custom_prices: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._shop = shop
        self._currency = currency
        self._custom_prices = custom_prices

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask once for all items and filter them here; ProviderError otherwise."""
        form = [
            ("method", _METHOD),
            ("game", query.game.word),
            ("steam_id", str(query.trade_url.steam_id)),
            ("trade_token", query.trade_url.token.reveal()),
        ]
        if self._currency:
            form.append(("currency", self._currency))
        form += self._custom_prices.items()
        found = await self._shop.ask(form, _tolerant, whole=_whole, secrets=(query.trade_url.token,))
        items = query.filter.apply(found.items)
        kept = {item.id for item in items}
        return Inventory(
            provider=self.name,
            owner=query.trade_url.steam_id,
            game=query.game,
            items=items,
            total=len(items),
            updated_at=self._shop.transport.clock.now(),
            left_out=found.left_out,
            credits_known=found.credits_known,
            merchant_prices={id_: price for id_, price in found.merchant_prices.items() if id_ in kept},
        )


def check_error(answer: Fields, method: str) -> None:
    """Raise Refused for an error: positive numbers mean something else with each method."""
    if answer.values.get("status") != "error":
        return
    code, key = answer.integer("error_code", optional=True), identifier(answer.values.get("error_message"))
    raise Refused(
        FailureKind.THROTTLED if _is_limit(code, key) else FailureKind.REFUSED,
        code=code,
        key=key,
        message=None if key else answer.text("error_message", optional=True),
        method=method,
    )


def _is_limit(code: int | None, key: str | None) -> bool:
    return (code if key is None else key) in _LIMIT_REACHED


def check_status(answer: Fields) -> None:
    """Raise Refused for an error, Unreadable for neither an error nor a success."""
    check_error(answer, _METHOD)
    if answer.values.get("status") != "success":
        raise Unreadable("status")
    answer.says_success = True


@dataclass(frozen=True, slots=True)
class _Found:
    """The items of an answer and what the merchant receives for them, as ``Inventory`` has them."""

    items: list[Item]
    left_out: int
    credits_known: bool
    merchant_prices: dict[str, MerchantPrice]


def _whole(body: bytes) -> _Found:
    """Read an answer in which nothing is odd; ValueError for any other."""
    data = InventoryAnswer.model_validate_json(body).data
    return _found(data["items"], data.get("currency_local"))


def _tolerant(answer: Fields) -> _Found:
    """Read an answer by row and value; Refused for an error, Unreadable for neither."""
    check_status(answer)
    # PHP writes an empty object as an empty list.
    data = Fields({"items": []}, "data") if answer.values.get("data") == [] else answer.need("data")
    if "items" not in data.values:
        raise Unreadable(data.at("items"))
    rows, left_out = read_rows(_ITEM, data.values["items"], data.at("items"), answer.note, instead={"disabled": True})
    return _found(rows, data.text("currency_local", optional=True), left_out)


def _found(rows: list[ItemRow], currency: str | None, left_out: int = 0) -> _Found:
    """Return the items with what the shop credits for them: ``multiplied_price_local`` in ``currency_local``.

    If no item has it, only SkinsBack's own price is known.
    """
    local = currency_of(currency)
    if not rows or local is None or all(row.get("multiplied_price_local") is None for row in rows):
        items = [_item(row, row.get("price"), USD) for row in rows]
        return _Found(items, left_out, credits_known=not rows, merchant_prices={})
    items = [_item(row, row.get("multiplied_price_local"), local) for row in rows]
    prices = {item.id: price for item, row in zip(items, rows, strict=True) if (price := _merchant_price(row, local))}
    return _Found(items, left_out, credits_known=True, merchant_prices=prices)


def currency_of(text: str | None) -> str | None:
    """Return a currency's code in upper case; SkinsBack writes it in lower case."""
    return text.upper() if text and _CURRENCY.fullmatch(text) else None


def _merchant_price(row: ItemRow, currency: str) -> MerchantPrice | None:
    price, local = row.get("price"), row.get("price_local")
    if price is None:
        return None
    return MerchantPrice(money(price), None if local is None else money(local, currency))


def _item(row: ItemRow, price: str | Decimal | None, currency: str) -> Item:
    steam, stickers = row["item"], row.get("stickers")
    offer = None if price is None else money(price, currency)
    tradable = steam.get("tradable")
    refusal = refusal_of(tradable=tradable, accepted=True, offer=offer)
    if refusal is not Refusal.NOT_TRADABLE and row.get("disabled"):
        refusal = Refusal.DISABLED
    return Item(
        id=steam["asset_id"],
        name=row.get("name") or steam["asset_id"],
        refusal=refusal,
        app_id=steam.get("app_id"),
        tradable=tradable,
        offer=offer,
        icon_hash=steam.get("icon_url") or None,
        stickers=stickers_of(stickers) if stickers else (),
    )
