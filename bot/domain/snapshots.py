"""What a pager turns: a snapshot of an answer, for one person, for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.inventory import Inventory, InventoryFilter, Sort

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.failures import Failure, ProviderName
    from bot.domain.steam import Game, SteamId
    from bot.domain.trades import Scope, Trade


class Audience(StrEnum):
    """Whom an answer is worded for."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """One provider's part of a lookup: what it would pay, or how it failed.

    ``reference`` is the word under which the log has the failure.
    """

    provider: ProviderName
    inventory: Inventory | None = None
    failure: Failure | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class InventoryAnswer:
    """The answer to ``/inventory``: one provider's, or several side by side."""

    owner: SteamId
    game: Game
    filter: InventoryFilter
    answers: tuple[ProviderAnswer, ...]
    linked_user_id: int | None = None

    @property
    def updated_at(self) -> datetime | None:
        """When the newest of its inventories was read from Steam; None where there is none."""
        return max((part.inventory.updated_at for part in self.answers if part.inventory is not None), default=None)

    @property
    def item_count(self) -> int:
        """How many items its inventories have together."""
        return sum(len(part.inventory.items) for part in self.answers if part.inventory is not None)


@dataclass(frozen=True, slots=True)
class TradesAnswer:
    """The answer to ``/trades``. ``steam_id`` is whose they are, None for everybody's.

    ``viewer`` is the Steam account linked to the caller: only on that one's trades may a ``code`` be shown.
    """

    provider: ProviderName
    scope: Scope
    steam_id: SteamId | None
    viewer: SteamId | None
    trades: tuple[Trade, ...]
    read_at: datetime
    window_full: bool = False

    def without_codes(self) -> TradesAnswer:
        """Return the same answer as it may be stored: with no trade's code."""
        return replace(self, trades=tuple(replace(trade, code=None) for trade in self.trades))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that ``user_id`` may turn in ``guild_id``, as long as they may see what it shows.

    ``view`` is how its reader has sorted and narrowed an inventory since, None for the answer as it was asked for.
    """

    id: str
    guild_id: int
    user_id: int
    audience: Audience
    answer: InventoryAnswer | TradesAnswer
    created_at: datetime
    expires_at: datetime
    view: InventoryFilter | None = None

    def viewed(self, view: InventoryFilter | None) -> Snapshot:
        """Return the same snapshot sorted and narrowed in this way; what says nothing new becomes None."""
        return replace(self, view=None if view == InventoryFilter(sort=self._asked_order) else view)

    @property
    def chosen(self) -> InventoryFilter:
        """The reader's choices: until they have made any, nothing but the order that was asked for."""
        return self.view or InventoryFilter(sort=self._asked_order)

    @property
    def _asked_order(self) -> Sort:
        return self.answer.filter.sort if isinstance(self.answer, InventoryAnswer) else Sort.RELEVANCE
