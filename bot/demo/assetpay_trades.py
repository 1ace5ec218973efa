"""The trades of the made-up AssetPay: deposits and withdrawals in every state of both dialects (trades.md, 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from bot.demo.chance import Chance
from bot.demo.items import WorldItem
from bot.demo.people import HOSTILE_NAME, Person
from bot.domain.steam import Game, SteamId

HOLD = timedelta(days=7)
"""Steam's protection of a trade, as AssetPay counts it (trades.md, 1.6)."""

ITEM_ERRORS = (
    *("LISTING_UNAVAILABLE", "NO_LISTING_AT_PRICE", "PRICE_CHANGED", "TRADE_URL_INVALID", "STEAM_ACCOUNT_RESTRICTED"),
    *("BUYER_TRADE_RESTRICTED", "MARKET_UNAVAILABLE", "PURCHASE_FAILED"),
)
"""Errors of a withdrawal's items, and of the trade if all its items share one (trades.md, 1.7)."""

DEPOSIT_ERRORS = (
    *("USER_TRADE_RESTRICTED", "USER_INVENTORY_PRIVATE", "USER_ESCROW", "USER_NOT_FOUND", "OFFER_NOT_ACCEPTED"),
    "SERVICE_UNAVAILABLE",
)
APPROVAL_ERRORS = ("MERCHANT_REJECTED", "APPROVAL_TIMEOUT")
"""With the deposits' errors, those that only a trade has (trades.md, 1.7)."""

STEAM_ERROR = "AccessDenied (15)"
"""The error of an older deposit: from a set that is not documented."""

UNDOCUMENTED_STATUS = "under_review"

Kind = Literal["deposit", "withdraw"]


class WorldBot(NamedTuple):
    """A provider's bot."""

    name: str
    steam_id: SteamId
    joined: datetime


@dataclass(frozen=True, slots=True)
class TradedItem:
    """An item of a trade; only a withdrawal's items have a ``status`` and an ``error``."""

    item: WorldItem
    price: Decimal
    status: str | None = None
    error: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPayTrade:
    """One trade as AssetPay keeps it. A response leaves out fields that are None.

    The repr has no error, which may hold a trade token.
    """

    id: str
    kind: Kind
    status: str
    owner: Person
    game: Game
    items: tuple[TradedItem, ...]
    total: Decimal
    shop_user: str
    created_at: datetime
    updated_at: datetime
    pre_credit: Decimal | None = None
    pending_credit: Decimal | None = None
    is_instant: bool | None = None
    shop_reference: str | None = None
    offer_id: str | None = None
    offered_at: datetime | None = None
    cancels_at: datetime | None = None
    hold_ends: datetime | None = None
    reverted_by: str | None = None
    error: str | None = field(default=None, repr=False)
    bot: WorldBot | None = None


class _Stage(NamedTuple):
    """How far a trade has come, and its age in hours."""

    is_offered: bool
    is_accepted: bool
    youngest: float
    oldest: float


_MADE, _CONFIRMING, _OUT = _Stage(False, False, 0.02, 0.3), _Stage(False, False, 0.1, 0.7), _Stage(True, False, 0.2, 9)
_HELD, _DONE, _UNDONE = _Stage(True, True, 5, 144), _Stage(True, True, 170, 330), _Stage(True, True, 30, 330)
_FAILED, _ENDED = _Stage(False, False, 1, 330), _Stage(True, False, 3, 330)
_STAGES = {
    "initiated": _MADE,
    "pending": _CONFIRMING,
    "active": _OUT,
    "hold": _HELD,
    "completed": _DONE,
    "failed": _FAILED,
    "canceled": _ENDED,
    "declined": _ENDED,
    "reverted": _UNDONE,
    # api.assetpay.co: PENDING is an offer that is out, ACTIVE an accepted one (trades.md, 2).
    "INITIATED": _MADE,
    "PENDING": _OUT,
    "ACTIVE": _Stage(True, True, 0.3, 5),
    "ESCROW": _HELD,
    "HOLD": _HELD,
    "COMPLETED": _DONE,
    "FAILED": _FAILED,
    "REVERTED": _UNDONE,
    "PARTIAL": _DONE,
}
STATUSES = tuple(word for word in _STAGES if word.islower())
"""Every documented status of api.assetpay.gg (trades.md, 1.6)."""
LEGACY_STATUSES = tuple(word for word in _STAGES if word.isupper())
"""Every documented status of api.assetpay.co (trades.md, 2)."""

_INSTANT_PART = Decimal("0.8")
_CENT = Decimal("0.01")
_OFFER_LASTS = timedelta(hours=12)
_BOT_NAMES = ("Harbour 07", "Lantern 12", "Copper 03")
_MIXED = (("completed", None), ("failed", "NO_LISTING_AT_PRICE"), ("reverted", None))
_LEGACY_MIXED = (("COMPLETED", None), ("FAILED", "PRICE_CHANGED"))


class AssetPayTradeMaker:
    """Makes the trades of one person, with consecutive numbers of the shop's orders from ``first_order``.

    ``items`` are those to choose from, by game.
    """

    def __init__(
        self,
        chance: Chance,
        owner: Person,
        items: Mapping[Game, Sequence[WorldItem]],
        *,
        first_order: int,
        now: datetime,
    ) -> None:
        self._chance = chance
        self._owner = owner
        self._pools = items
        self._order = first_order
        self._now = now
        self._bots = tuple(
            WorldBot(name, SteamId.from_account_id(4294967010 + number), now - timedelta(days=700 + number))
            for number, name in enumerate(_BOT_NAMES)
        )

    def every_status(self) -> Iterator[AssetPayTrade]:
        """Yield trades in every status of api.assetpay.gg, first a deposit on hold with an instant credit."""
        yield self._instant(self.trade("deposit", "hold"))
        for status in STATUSES:
            yield self.trade("deposit", status, error="USER_ESCROW" if status == "failed" else None)
        for status in STATUSES:
            yield self.trade("withdraw", status, error="PRICE_CHANGED" if status == "failed" else None)
        for status in ("active", "completed"):
            deposit = self.trade("deposit", status, game=Game.RUST)
            yield replace(deposit, is_instant=True, pre_credit=deposit.total, pending_credit=Decimal(0))
        yield self.mixed("completed", _MIXED)

    def every_error(self) -> Iterator[AssetPayTrade]:
        """Yield failed trades with every documented error, and with one that is not."""
        for error in (*ITEM_ERRORS, *APPROVAL_ERRORS):
            yield self.trade("withdraw", "failed", error=error)
        for error in (*DEPOSIT_ERRORS, STEAM_ERROR):
            yield self.trade("deposit", "failed", error=error)

    def every_legacy_status(self) -> Iterator[AssetPayTrade]:
        """Yield trades in every status of api.assetpay.co."""
        for status in LEGACY_STATUSES:
            if status == "PARTIAL":
                yield self.mixed(status, _LEGACY_MIXED)
            else:
                error = "STEAM_ACCOUNT_RESTRICTED" if status == "FAILED" else None
                yield self.trade("withdraw" if status in ("ACTIVE", "REVERTED") else "deposit", status, error=error)

    def hostile(self) -> Iterator[AssetPayTrade]:
        """Yield trades with texts that mean harm: names, errors, a bot's name, an order number, a status."""
        held = self.trade("deposit", "hold", size=1)
        name = replace(held.items[0].item, name=HOSTILE_NAME, market_hash_name=HOSTILE_NAME)
        bot = WorldBot(HOSTILE_NAME, self._bots[0].steam_id, self._bots[0].joined)
        items = (replace(held.items[0], item=name),)
        yield replace(held, items=items, bot=bot, shop_reference=HOSTILE_NAME[:120])
        yield self.trade("deposit", HOSTILE_NAME)
        yield self.trade("deposit", "failed", error=f"Bad trade URL {self._owner.trade_url}", size=60)
        yield self.trade("withdraw", "failed", error=HOSTILE_NAME)
        yield self.trade("deposit", "failed", error="x" * 3000)

    def mixed(self, status: str, parts: tuple[tuple[str, str | None], ...]) -> AssetPayTrade:
        """Return a withdrawal whose items ended differently; it is part of a basket, whose number another trade has."""
        trade = self.trade("withdraw", status, size=len(parts))
        items = tuple(
            replace(traded, status=part, error=error) for traded, (part, error) in zip(trade.items, parts, strict=True)
        )
        return replace(trade, items=items, shop_reference=None)

    def trade(
        self, kind: Kind, status: str, *, game: Game = Game.CS2, error: str | None = None, size: int | None = None
    ) -> AssetPayTrade:
        """Return one trade of ``size`` items, as old as its status makes likely."""
        chance = self._chance
        stage = _STAGES.get(status, _OUT)
        created_at = self._now - chance.age(stage.youngest, stage.oldest)
        offered_at = created_at + timedelta(seconds=40) if stage.is_offered else None
        items = self._items(kind, status, game, error, size or chance.randrange(1, 4))
        total = sum((traded.price for traded in items), Decimal(0))
        # Rust has no protection period.
        hold_ends = created_at + HOLD + timedelta(minutes=3) if stage.is_accepted and game is Game.CS2 else None
        self._order += 1
        return AssetPayTrade(
            id=chance.uuid(),
            kind=kind,
            status=status,
            owner=self._owner,
            game=game,
            items=items,
            total=total,
            shop_user=f"user-{self._owner.steam_id.account_id % 1000}",
            created_at=created_at,
            updated_at=(stage is _DONE and hold_ends) or min(self._now, created_at + timedelta(minutes=5)),
            pre_credit=Decimal(0) if kind == "deposit" else None,
            pending_credit=total if kind == "deposit" else None,
            is_instant=False if kind == "deposit" else None,
            shop_reference=f"order-{self._order - 1}",
            offer_id=chance.digits(10) if stage.is_offered else None,
            offered_at=offered_at,
            cancels_at=created_at + _OFFER_LASTS if kind == "withdraw" and status == "active" else None,
            hold_ends=hold_ends,
            reverted_by=_reverted_by(kind, status),
            error=error,
            bot=chance.choice(self._bots) if stage.is_offered else None,
        )

    def _items(self, kind: Kind, status: str, game: Game, error: str | None, size: int) -> tuple[TradedItem, ...]:
        pool = self._pools[game]
        found = self._chance.sample(pool, size) if size <= len(pool) else self._chance.choices(pool, k=size)
        if kind == "deposit":
            return tuple(TradedItem(item, item.offer or _CENT) for item in found)
        item_error = error if error not in APPROVAL_ERRORS else None
        return tuple(TradedItem(item, item.market_price, status, item_error) for item in found)

    @staticmethod
    def _instant(deposit: AssetPayTrade) -> AssetPayTrade:
        """Credit a part of the deposit at once (trades.md, 1.9)."""
        now = (deposit.total * _INSTANT_PART).quantize(_CENT)
        return replace(deposit, is_instant=True, pre_credit=now, pending_credit=deposit.total - now)


def _reverted_by(kind: Kind, status: str) -> str | None:
    """Return who undid it; suppliers undo withdrawals only (trades.md, 1.5)."""
    if status.lower() != "reverted":
        return None
    return "user" if kind == "deposit" else "supplier"
