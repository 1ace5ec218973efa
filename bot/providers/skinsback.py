"""SkinsBack: POST method=user_inventory (seed 003)."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from bot.domain.failures import ProviderName
from bot.domain.inventory import Inventory, InventoryQuery, Item, Refusal, refusal_of
from bot.domain.secrets import Secret
from bot.domain.steam import Game
from bot.providers.reading import Fields, Refused, Unreadable, identifier, read
from bot.providers.transport import Transport

_METHOD = "user_inventory"
_CURRENCY = re.compile(r"[A-Za-z]{1,8}", re.ASCII)


def credentials(
    form: list[tuple[str, str]], client_id: str, client_secret: Secret, auth: Literal["headers", "signature"]
) -> dict[str, str]:
    """Return the headers that authenticate a form, or append its signature (providers.md, 3.1)."""
    if auth == "headers":
        return {"X-CLIENT-ID": client_id, "X-CLIENT-SECRET": client_secret.reveal()}
    form.append(("shopid", client_id))
    message = "".join(f"{name}:{value};" for name, value in sorted(form))
    form.append(("sign", hmac.new(client_secret.reveal().encode(), message.encode(), hashlib.sha1).hexdigest()))
    return {}


class SkinsBack:
    """Inventories by SteamID and trade token.

    ``auth`` is how the client secret is used; ``currency`` may be empty. ``custom_prices`` are the seed's parameters
    ``custom_multiplier``, ``custom_currency`` and ``custom_currency_rate``, those that are set.
    """

    name = ProviderName.SKINSBACK
    games = frozenset({Game.CS2, Game.DOTA2, Game.RUST})

    def __init__(
        self,
        transport: Transport,
        client_id: str,
        client_secret: Secret,
        *,
        auth: Literal["headers", "signature"] = "headers",
        currency: str = "",
        custom_prices: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._transport = transport
        self._client_id = client_id
        self._client_secret = client_secret
        self._auth: Literal["headers", "signature"] = auth
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
        headers = credentials(form, self._client_id, self._client_secret, self._auth)
        response = await self._transport.request("POST", headers=headers, form=form)
        items = await read(
            response,
            lambda fields: query.filter.apply(_read_items(fields)),
            secrets=(self._client_secret, query.trade_url.token),
        )
        return Inventory(
            provider=self.name,
            owner=query.trade_url.steam_id,
            game=query.game,
            items=items,
            total=len(items),
            updated_at=response.received_at,
        )


def check_status(answer: Fields) -> None:
    """Raise Refused for an error, Unreadable for neither an error nor a success."""
    status = answer.values.get("status")
    if status == "error":
        key = identifier(answer.values.get("error_message"))
        raise Refused(
            code=answer.integer("error_code", optional=True),
            key=key,
            message=None if key else answer.text("error_message", optional=True),
            method=_METHOD,
        )
    if status != "success":
        raise Unreadable("status")


def _read_items(answer: Fields) -> list[Item]:
    check_status(answer)
    data = answer.need("data")
    currency = data.text("currency_local", optional=True) or ""
    local_currency = currency.upper() if _CURRENCY.fullmatch(currency) else None
    return [_read_item(entry, local_currency) for entry in data.parts("items")]


def _read_item(entry: Fields, local_currency: str | None) -> Item:
    steam = entry.need("item")
    asset_id = steam.id("asset_id")
    tradable = steam.truth("tradable")
    price = entry.money("price")
    local_price = None
    if local_currency:
        local_price = entry.money("multiplied_price_local", local_currency) or entry.money(
            "price_local", local_currency
        )
    refusal = refusal_of(tradable=tradable, accepted=True, offer=price)
    if refusal is not Refusal.NOT_TRADABLE and entry.truth("disabled"):
        refusal = Refusal.DISABLED
    return Item(
        id=asset_id,
        name=entry.text("name") or asset_id,
        refusal=refusal,
        app_id=steam.integer("app_id", optional=True),
        tradable=tradable,
        offer=price,
        local_offer=local_price,
        icon_hash=steam.text("icon_url", optional=True),
        stickers=entry.stickers(),
    )
