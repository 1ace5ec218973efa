"""Encodes an answer once for everybody who is shown it: several people look at the same inventory, and often."""

from dataclasses import replace

from bot.domain.derived import Derived
from bot.domain.inventory import Inventory
from bot.domain.snapshots import InventoryAnswer, TradesAnswer
from bot.storage.snapshot_codec import encode
from bot.worker import run_in_worker

_SMALL = 300
"""Items and trades up to which encoding is done at once; more of them take another thread's time."""


class EncodedAnswers:
    """The bytes of answers whose inventory is still in memory, and only for as long as it is."""

    def __init__(self) -> None:
        self._kept: Derived[Inventory, tuple[InventoryAnswer, bytes]] = Derived()
        """The answer without its inventory that was encoded last, and all of it as bytes."""

    @property
    def kept(self) -> int:
        """How many answers are in memory."""
        return len(self._kept)

    async def of(self, answer: InventoryAnswer | TradesAnswer) -> bytes:
        """Return the answer as bytes."""
        inventory = _only_inventory(answer)
        if inventory is None or not isinstance(answer, InventoryAnswer):
            return await _encoded(answer)
        head = _without_inventory(answer)
        before, data = self._kept.get(inventory) or (None, b"")
        if before != head:
            data = await _encoded(answer)
            self._kept.keep(inventory, (head, data))
        return data


async def _encoded(answer: InventoryAnswer | TradesAnswer) -> bytes:
    return encode(answer) if _size(answer) <= _SMALL else await run_in_worker(encode, answer)


def _size(answer: InventoryAnswer | TradesAnswer) -> int:
    if isinstance(answer, TradesAnswer):
        return len(answer.trades)
    return sum(len(part.inventory.items) for part in answer.answers if part.inventory is not None)


def _only_inventory(answer: InventoryAnswer | TradesAnswer) -> Inventory | None:
    return answer.answers[0].inventory if isinstance(answer, InventoryAnswer) and len(answer.answers) == 1 else None


def _without_inventory(answer: InventoryAnswer) -> InventoryAnswer:
    return replace(answer, answers=tuple(replace(part, inventory=None) for part in answer.answers))
