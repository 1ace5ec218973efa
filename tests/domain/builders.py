"""Domain values with everything that a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from msgspec.structs import replace as altered

from bot.domain.failures import ProviderName
from bot.domain.inventory import Inventory, Item
from bot.domain.money import Money
from bot.domain.resends import Resend, ResendState, TradeFacts
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import TradesAnswer, TradesPart
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Direction, Scope, Trade, TradeItem, UnreadRow
from bot.providers.mannco_answers import state_of

NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
OWNER = SteamId.from_account_id(123456789)
BOT = SteamId.from_account_id(987654321)

# No deadline per example: the machine that runs the tests may be busy with something else.
PROPERTY = settings(max_examples=100)


def usd(amount: str | Decimal) -> Money:
    return Money(Decimal(amount))


def rub(amount: str | Decimal) -> Money:
    return Money(Decimal(amount), "RUB")


def item(name: str = "AK-47 | Redline", offer: str | Decimal | Money | None = "10.75", **facts: Any) -> Item:
    facts.setdefault("id", name)
    facts.setdefault("refusal", None)
    return Item(name=name, offer=usd(offer) if isinstance(offer, str | Decimal) else offer, **facts)


def inventory(*items: Item, **facts: Any) -> Inventory:
    facts.setdefault("total", len(items))
    return Inventory(provider=ProviderName.ASSETPAY, owner=OWNER, game=Game.CS2, items=items, updated_at=NOW, **facts)


def trade(**facts: Any) -> Trade:
    """Return a failed withdrawal of Mannco.store; id and status may be numbers, items their asset ids."""
    failed_withdrawal: dict[str, Any] = {
        "provider": ProviderName.MANNCO,
        "id": 123456,
        "owner": OWNER,
        "status": -1,
        "bot": BOT,
        "offer_id": "5678901234",
        "created_at": NOW - timedelta(days=1),
        "code": TradeCode("ABCDEFGH"),
        "last_error": "offer expired",
    }
    facts = failed_withdrawal | facts
    send, received = facts.pop("items_send", ("123456789", "987654321")), facts.pop("items_received", ())
    status = str(facts["status"])
    return Trade(
        **facts
        | {"id": str(facts["id"]), "status": status, "state": facts.get("state", state_of(status))}
        | {"direction": Direction.WITHDRAWAL if send else Direction.DEPOSIT if received else Direction.NOTHING}
        | {"to_customer": items_of(send), "from_customer": items_of(received)}
    )


def items_of(asset_ids: Iterable[str]) -> tuple[TradeItem, ...]:
    return tuple(TradeItem(asset_id=asset_id) for asset_id in asset_ids)


def trades_answer(
    *trades: Trade,
    of: SteamId | None = OWNER,
    viewer: SteamId | None = OWNER,
    scope: Scope = Scope.ALL,
    read_at: datetime = NOW,
    codes_from: datetime | None = None,
    unread: tuple[str, ...] = (),
    **said: Any,
) -> TradesAnswer:
    """Return an answer of Mannco.store alone; ``said`` are fields of its part."""
    part = TradesPart(ProviderName.MANNCO, unread=tuple(map(UnreadRow, unread)), **said)
    return TradesAnswer(scope, of, viewer, (part,), trades, read_at, codes_from=codes_from)


def without_codes(answer: TradesAnswer) -> TradesAnswer:
    """Return what may be stored of an answer."""
    return replace(answer, trades=tuple(altered(each, code=None) for each in answer.trades))


def resend(**facts: Any) -> Resend:
    pending: dict[str, Any] = {
        "id": 41,
        "guild_id": 1,
        "provider": ProviderName.MANNCO,
        "trade_id": 123456,
        "owner": OWNER,
        "requested_by": 100,
        "reason": None,
        "state": ResendState.PENDING,
        "facts": TradeFacts.of(trade()),
        "version": 1,
        "requested_at": NOW,
        "expires_at": NOW + timedelta(hours=24),
    }
    return Resend(**(pending | facts))
