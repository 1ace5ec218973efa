"""An answer is encoded once for as long as its inventory is in memory, and never mistaken for another one."""

import gc
from dataclasses import replace

from bot.domain.snapshots import InventoryAnswer
from bot.storage.encoded_snapshots import EncodedAnswers
from bot.storage.snapshot_codec import decode, encode
from tests.contracts.samples import inventory_answer


def _of_one_provider() -> InventoryAnswer:
    """Return an answer with an inventory of its own."""
    answer = inventory_answer()
    part = answer.answers[0]
    assert part.inventory is not None
    return replace(answer, answers=(replace(part, inventory=replace(part.inventory)),))


async def test_same_inventory_again() -> None:
    """The second answer with the same inventory is not encoded anew."""
    answer, encoded = _of_one_provider(), EncodedAnswers()

    first, second = await encoded.of(answer), await encoded.of(replace(answer))

    assert first is second
    assert decode(first) == answer


async def test_same_inventory_for_somebody_else() -> None:
    """What else an answer says is its own, although the inventory is the same."""
    answer, encoded = _of_one_provider(), EncodedAnswers()
    await encoded.of(answer)
    other = replace(answer, linked_user_id=4711)

    assert decode(await encoded.of(other)) == other
    assert decode(await encoded.of(answer)) == answer


async def test_inventory_that_is_forgotten() -> None:
    """When an inventory leaves the memory, its bytes leave it too."""
    answer, encoded = _of_one_provider(), EncodedAnswers()
    data = await encoded.of(answer)
    del answer
    gc.collect()

    assert encoded.kept == 0
    assert data == encode(_of_one_provider())
