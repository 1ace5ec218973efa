"""Gets what the pages of an inventory are made of: an answer to keep, its listing, a table of it."""

from dataclasses import replace

import discord

from bot.domain.errors import PageExpired, ProviderError
from bot.domain.inventory import InventoryFilter
from bot.domain.listing import Listing
from bot.domain.snapshots import InventoryAnswer, ProviderAnswer, Snapshot
from bot.observability.logs import reference
from bot.services.inventory import InventoryRequest
from bot.ui.interaction.error_handler import write_down
from bot.ui.interaction.interactions import Interaction, actor_of, services_of
from bot.ui.inventory.csv import HEADER, file_name, rows
from bot.ui.kit.csv import csv_file
from bot.ui.kit.layout import card
from bot.ui.kit.text import count
from bot.worker import MANY_ITEMS, run_in_worker


async def look_up(
    interaction: Interaction, request: InventoryRequest, *, instead_of: Snapshot | None = None
) -> Snapshot:
    """Ask for an inventory and keep the answer; a provider that fails among several is part of it."""
    answer = await services_of(interaction).inventory.look_up(request, by=actor_of(interaction))
    return await _kept(interaction, request, answer, instead_of)


async def look_up_newer(interaction: Interaction, request: InventoryRequest, *, than: Snapshot) -> Snapshot | None:
    """Ask whether somebody else has had an inventory refreshed since; None where nothing is newer."""
    answer = await services_of(interaction).inventory.look_up(request, by=actor_of(interaction))
    known, found = inventory_of(than).updated_at, answer.updated_at
    if found is None or (known is not None and found <= known):
        return None
    return await _kept(interaction, request, answer, than)


async def _kept(
    interaction: Interaction, request: InventoryRequest, answer: InventoryAnswer, instead_of: Snapshot | None
) -> Snapshot:
    if len(answer.answers) == 1 and answer.answers[0].failure is not None:
        raise ProviderError(answer.answers[0].failure)
    parts = tuple(_written_down(interaction, part) for part in answer.answers)
    return await services_of(interaction).snapshots.open(
        replace(answer, answers=parts), by=actor_of(interaction), question=request, instead_of=instead_of
    )


def _written_down(interaction: Interaction, part: ProviderAnswer) -> ProviderAnswer:
    """Log a part that failed, and give it the reference to find that by."""
    if part.failure is None:
        return part
    word = reference()
    write_down(interaction, ProviderError(part.failure), word)
    return replace(part, reference=word)


async def listing_of(answer: InventoryAnswer, view: InventoryFilter | None) -> Listing:
    """List an answer as its reader has sorted and narrowed it."""
    if _items(answer) < MANY_ITEMS:
        return Listing.of(answer, view)
    return await run_in_worker(Listing.of, answer, view)


def inventory_of(snapshot: Snapshot) -> InventoryAnswer:
    """Return the inventory behind a control; PageExpired where there is none, which no control of ours leads to."""
    if not isinstance(snapshot.answer, InventoryAnswer):
        raise PageExpired
    return snapshot.answer


async def table_of(answer: InventoryAnswer) -> tuple[discord.Embed, discord.File]:
    """Return all items as a file, and the words that go with it."""
    file = await run_in_worker(csv_file, file_name(answer), HEADER, rows(answer))
    embed = card(
        title="📄 The whole inventory as a table",
        description=f"{count(_items(answer), 'item')}, whatever filter is set. An offer is for one piece.",
    )
    return embed, file


def _items(answer: InventoryAnswer) -> int:
    return sum(len(part.inventory.items) for part in answer.answers if part.inventory is not None)
