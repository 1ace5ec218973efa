"""An inventory provider in memory."""

import asyncio
from dataclasses import replace

from bot.domain.failures import ProviderName
from bot.domain.inventory import Inventory, InventoryQuery, Item
from bot.domain.steam import Game
from tests.domain.builders import inventory, item


class FakeInventoryProvider:
    """Answers with the ``items`` that match, or with ``failure``; lookups wait while ``gate`` is closed."""

    def __init__(self, name: ProviderName = ProviderName.ASSETPAY, games: frozenset[Game] | None = None) -> None:
        self.name = name
        self.games = games or frozenset({Game.CS2, Game.RUST})
        self.items: tuple[Item, ...] = (item("AK-47", "10"), item("AWP", "20"), item("M4A4", "5"))
        self.total: int | None = None
        self.failure: Exception | None = None
        self.finds = True
        """Whether its own search finds anything."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[InventoryQuery] = []

    async def look_up(self, query: InventoryQuery) -> Inventory:
        """Answer once the gate is open, with the items as they were when the lookup began."""
        self.asked.append(query)
        items, gate = query.filter.apply(self.items), self.gate
        if query.filter.search is not None and not self.finds:
            items = ()
        await gate.wait()
        if self.failure is not None:
            raise self.failure
        total = len(items) if self.total is None else self.total
        return replace(inventory(*items, total=total), provider=self.name)
