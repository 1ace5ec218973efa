"""The details of any item fit Discord and are only text."""

from decimal import Decimal

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter, Item, Refusal
from bot.domain.snapshots import InventoryAnswer, Listing
from bot.ui.inventory.details import item_details
from tests.domain.builders import inventory, item, usd
from tests.support.hostile_items import hostile_items, violations
from tests.support.hostile_text import rendered
from tests.support.seen import embed_text
from tests.ui.test_inventory_page import PLAIN, answer, at


def details(shown: InventoryAnswer, position: int = 0) -> str:
    listing = Listing.of(shown, None)
    return embed_text(item_details(listing, listing.rows[position]))


def test_every_provider():
    """A comparison shows each provider's offer and market price, its refusal, or that it does not list the item."""
    ours = at(ProviderName.ASSETPAY, item("A", "1", market_price=usd("1.50")))
    theirs = at(ProviderName.SKINSBACK, item("A", "9", refusal=Refusal.DISABLED), item("B"))
    text = details(answer(ours, theirs))

    assert "AssetPay\n✅ Accepted at **$1.00** · market $1.50" in text
    assert "SkinsBack\n❌ Refused: the provider does not take this item" in text
    assert "AssetPay\n– not in its list" in details(answer(ours, theirs), 1)
    filtered = answer(ours, theirs, by=InventoryFilter(min_price=Decimal(1)))
    assert "AssetPay\n– not among what it was asked for" in details(filtered, 1)


@pytest.mark.parametrize(
    ("colour", "shown"), [(0xD32CE6, 0xD32CE6), (-1, 0x5865F2), (2**24, 0x5865F2), (None, 0x5865F2)]
)
def test_colour(colour: int | None, shown: int):
    """A valid colour of the rarity is used."""
    listing = Listing.of(answer(inventory(item(colour=colour))), None)

    assert item_details(listing, listing.rows[0]).colour == discord.Colour(shown)


@given(found=hostile_items, theirs=st.none() | hostile_items)
def test_any_item(found: Item, theirs: Item | None):
    """With any item, Discord takes the details, and they are only text."""
    run_in_worker = [] if theirs is None else [at(ProviderName.SKINSBACK, theirs)]
    listing = Listing.of(answer(inventory(found), *run_in_worker), None)
    embed = item_details(listing, found)

    assert violations(embed) == []
    for text in (embed.title, embed.description, *(field.value for field in embed.fields)):
        if text:
            assert set(rendered(text, "embed")[0]) <= PLAIN
