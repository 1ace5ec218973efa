"""SkinsBack: POST method=user_inventory (seed 003)."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Literal

from bot.domain.failures import ProviderName
from bot.domain.inventory import Inventory, Item, Refusal, refusal_of
from bot.domain.steam import Game
from bot.providers.reading import Fields, Refused, Unreadable, identifier, loose, read
from bot.providers.stickers import read_stickers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.inventory import InventoryQuery
    from bot.domain.secrets import Secret
    from bot.providers.transport import Transport

_METHOD = "user_inventory"
_CURRENCY = re.compile(r"[A-Za-z]{1,8}", re.ASCII)


def signature(parameters: Iterable[tuple[str, str]], client_secret: Secret) -> str:
    """Return ``sign``: HMAC-SHA1 over the parameters by name, each as ``name:value;`` (providers.md, 3.1)."""
    message = "".join(f"{name}:{value};" for name, value in sorted(parameters))
    return hmac.new(client_secret.reveal().encode(), message.encode(), hashlib.sha1).hexdigest()


class SkinsBack:
    """Inventories by SteamID and trade token. ``auth`` is how the client secret vouches; ``currency`` may be empty."""

    games = frozenset({Game.CS2, Game.DOTA2, Game.RUST})

    def __init__(
        self,
        transport: Transport,
        client_id: str,
        client_secret: Secret,
        *,
        auth: Literal["headers", "signature"] = "headers",
        currency: str = "",
    ) -> None:
        self._transport = transport
        self._client_id = client_id
        self._client_secret = client_secret
        self._auth = auth
        self._currency = currency

    @property
    def name(self) -> ProviderName:
        """Which provider it is."""
        return ProviderName.SKINSBACK

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Ask once for everything, and leave out here what does not match; ProviderError otherwise."""
        form = [
            ("method", _METHOD),
            ("game", query.game.word),
            ("steam_id", str(query.trade_url.steam_id)),
            ("trade_token", query.trade_url.token.reveal()),
        ]
        if self._currency:
            form.append(("currency", self._currency))
        headers = {}
        if self._auth == "headers":
            headers = {"X-CLIENT-ID": self._client_id, "X-CLIENT-SECRET": self._client_secret.reveal()}
        else:
            form.append(("shopid", self._client_id))
            form.append(("sign", signature(form, self._client_secret)))
        async with self._transport.deadline():
            answer = await self._transport.request("POST", headers=headers, form=form)
            items = await read(
                answer,
                lambda fields: query.filter.apply(_read_items(fields)),
                secrets=(self._client_secret, query.trade_url.token),
            )
        return Inventory(
            provider=self.name,
            owner=query.trade_url.steam_id,
            game=query.game,
            items=items,
            total=len(items),
            updated_at=answer.received_at,
        )


def read_status(answer: Fields) -> None:
    """Raise Refused for an error, Unreadable for what is neither that nor a success."""
    if answer.raw("status") == "error":
        key = identifier(answer.raw("error_message"))
        raise Refused(
            code=loose(answer.integer, "error_code"),
            key=key,
            message=None if key else loose(answer.text, "error_message"),
            method=_METHOD,
        )
    if answer.raw("status") != "success":
        raise Unreadable("status")


def _read_items(answer: Fields) -> list[Item]:
    read_status(answer)
    data = answer.need("data")
    currency = loose(data.text, "currency_local")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        currency = None
    return [_read_item(entry, currency and currency.upper()) for entry in data.parts("items")]


def _read_item(entry: Fields, currency: str | None) -> Item:
    steam = entry.need("item")
    asset_id = steam.id("asset_id")
    tradable = steam.truth("tradable")
    price = entry.money("price")
    local = None
    if currency:
        local = entry.money("multiplied_price_local", currency) or entry.money("price_local", currency)
    refusal = refusal_of(tradable=tradable, accepted=True, offer=price)
    if refusal is not Refusal.NOT_TRADABLE and entry.truth("disabled"):
        refusal = Refusal.DISABLED
    return Item(
        id=asset_id,
        name=entry.text("name") or asset_id,
        refusal=refusal,
        app_id=loose(steam.integer, "app_id"),
        tradable=tradable,
        offer=price,
        local_offer=local,
        icon_hash=loose(steam.text, "icon_url"),
        stickers=read_stickers(entry),
    )
