"""The deposits of the made-up SkinsBack, in every documented state (trades.md, 3.4 and 3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from bot.demo.chance import Chance
from bot.demo.items import WorldItem
from bot.demo.people import HOSTILE_NAME
from bot.domain.steam import SteamId

RATES = {
    "usd": 1.0,
    "rub": 92.7,
    "uah": 41.5,
    "eur": 0.92,
    "cny": 7.2,
    "kzt": 487.0,
    "aud": 1.52,
    "cad": 1.38,
    "brl": 5.6,
    "nzd": 1.66,
}
"""The currencies of every amount (trades.md, 3.4), in units for one USD."""

PROJECT_MULTIPLIER = Decimal("0.7")
"""The part of the skins' worth that the shop credits its customers."""

_CENT = Decimal("0.01")


class Skin(NamedTuple):
    """A deposited skin and its worth in the deposit's currency."""

    name: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SkinsBackDeposit:
    """One deposit as SkinsBack keeps it, with amounts in ``currency``; ``owner`` is None until an account is chosen."""

    transaction_id: str
    order_id: str
    owner: SteamId | None
    status: str
    created_at: datetime
    offered_at: datetime | None
    arrived_at: datetime | None
    """When the skins arrived."""
    currency: str
    skins: tuple[Skin, ...]

    @property
    def amount(self) -> Decimal:
        """The value of the skins."""
        return sum((skin.price for skin in self.skins), Decimal(0))

    @property
    def user_amount(self) -> Decimal:
        """The amount that the shop credits."""
        return credited(self.amount)


def credited(amount: Decimal) -> Decimal:
    """Return what the shop credits for skins of this worth."""
    return (amount * PROJECT_MULTIPLIER).quantize(_CENT)


def usd_price(item: WorldItem) -> float:
    """Return SkinsBack's price of one piece: every provider pays another one."""
    return round(float(item.offer) * 0.96, 2) if item.offer is not None else 0.0


class _Stage(NamedTuple):
    """How far a deposit has come, and its age in hours."""

    is_offered: bool
    has_arrived: bool
    youngest: float
    oldest: float


_STAGES = {
    "pending": _Stage(True, False, 0.1, 8),
    "in_hold": _Stage(True, True, 4, 180),
    "hold_approved": _Stage(True, True, 20, 180),
    "success": _Stage(True, True, 194, 330),
    "fail": _Stage(True, False, 3, 330),
    "hold_returned": _Stage(True, True, 40, 330),
}
STATUSES = tuple(_STAGES)
"""Every documented status (trades.md, 3.5)."""

_UNOFFERED = _Stage(False, False, 0.02, 0.3)
_UNDONE = _Stage(True, True, 60, 330)
_OLD = _Stage(True, True, 400, 600)


class SkinsBackDepositMaker:
    """Makes deposits of one person (None: of no account) from ``items``, with consecutive numbers from ``first``."""

    def __init__(
        self,
        chance: Chance,
        owner: SteamId | None,
        items: Sequence[WorldItem],
        *,
        first: int,
        currency: str,
        now: datetime,
    ) -> None:
        self._chance = chance
        self._owner = owner
        self._items = items
        self._number = first
        self._currency = currency
        self._now = now

    def every_status(self) -> Iterator[SkinsBackDeposit]:
        """Yield deposits in every status, first one on hold; one older than 14 days."""
        yield self.deposit("in_hold")
        for status in STATUSES:
            yield self.deposit(status)
        yield self.deposit("pending", _UNOFFERED)
        yield self.deposit("fail", _UNDONE)
        yield self.deposit("success", _OLD)

    def hostile(self) -> Iterator[SkinsBackDeposit]:
        """Yield deposits with texts that mean harm: the skin's name, the order's number, the status."""
        skins = (Skin(HOSTILE_NAME, Decimal("3.20")),)
        yield self.deposit("success", skins=skins)
        yield self.deposit("in_hold", order_id=HOSTILE_NAME[:120])
        yield self.deposit(HOSTILE_NAME)

    def deposit(
        self,
        status: str,
        stage: _Stage | None = None,
        *,
        order_id: str | None = None,
        skins: tuple[Skin, ...] | None = None,
    ) -> SkinsBackDeposit:
        """Return one deposit, as old as its status makes likely."""
        stage = stage or _STAGES.get(status, _STAGES["pending"])
        created_at = self._now - self._chance.age(stage.youngest, stage.oldest)
        number, self._number = self._number, self._number + 1
        return SkinsBackDeposit(
            transaction_id=str(678_000 + number),
            order_id=order_id or str(30_000 + number),
            owner=self._owner,
            status=status,
            created_at=created_at,
            offered_at=created_at + timedelta(seconds=50) if stage.is_offered else None,
            arrived_at=created_at + timedelta(minutes=3) if stage.has_arrived else None,
            currency=self._currency,
            skins=skins or tuple(map(self._skin, self._chance.sample(self._items, self._chance.randrange(1, 4)))),
        )

    def _skin(self, item: WorldItem) -> Skin:
        price = Decimal(str(usd_price(item) * RATES[self._currency]))
        return Skin(item.market_hash_name, price.quantize(_CENT))
