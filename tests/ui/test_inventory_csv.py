"""The table of an inventory has everything, and does nothing."""

import csv
import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failures import ProviderName
from bot.domain.inventory import Item, MerchantPrice, Sticker
from bot.domain.inventory_table import columns_of, rows_of
from bot.domain.money import Money
from bot.domain.snapshots import InventoryAnswer
from bot.ui.inventory.details import inventory_csv
from bot.ui.kit.csv import csv_bytes
from tests.domain.builders import OWNER, inventory, item, usd
from tests.support.hostile_items import hostile_items
from tests.ui.test_inventory_page import answer, at

PRICE = MerchantPrice(usd("0.07"), Money(Decimal("6.49"), "RUB"))


def table(*found: Item) -> list[dict[str, str]]:
    return table_of(answer(inventory(*found)))


def table_of(shown: InventoryAnswer) -> list[dict[str, str]]:
    text = csv_bytes(columns_of(shown), rows_of(shown)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_everything():
    """A row has all that is known of an item."""
    found = item(
        "AK-47",
        "1204.5",
        id="a1",
        market_hash_name="AK-47 (Field-Tested)",
        kind="Rifle",
        tradable=True,
        market_price=usd("1300"),
        exterior="Field-Tested",
        wear=Decimal("0.25432"),
        rarity="Classified",
        paint_seed=312,
        inspect_certificate="S1A2",
        stickers=(Sticker("Crown", 0, Decimal("0.5")), Sticker("Fox")),
        amount=3,
        max_amount=10,
    )

    assert table(found) == [
        {
            "provider": "AssetPay",
            "name": "AK-47 (Field-Tested)",
            "exterior": "Field-Tested",
            "wear": "0.25432",
            "accepted": "yes",
            "refused because": "",
            "offer": "1204.5",
            "offer currency": "USD",
            "offer is": "the credit",
            "market price": "1300",
            "market currency": "USD",
            "amount": "3",
            "most in one deposit": "10",
            "rarity": "Classified",
            "kind": "Rifle",
            "paint seed": "312",
            "stickers": "Crown (wear 0.5) / Fox",
            "tradable": "yes",
            "item id": "a1",
            "inspect certificate": "S1A2",
        }
    ]


def test_merchant_prices():
    """What the merchant receives has columns of its own, for readers who have it; a price of its own is named so."""
    theirs = at(ProviderName.SKINSBACK, item("A", id="1"), merchant_prices={"1": PRICE})
    read = [table_of(shown)[0] for shown in (answer(theirs), answer(theirs).without_merchant_prices())]
    unsure = table_of(answer(at(ProviderName.SKINSBACK, item("A"), credits_known=False)))[0]

    columns = ("merchant price", "merchant currency", "merchant local price", "merchant local currency")
    assert [read[0][each] for each in columns] == ["0.07", "USD", "6.49", "RUB"]
    assert not any("merchant" in name for name in read[1])
    assert unsure["offer is"] == "SkinsBack's own price"


def test_side_by_side():
    """A comparison has every provider's items under its name."""
    shown = answer(inventory(item("A")), at(ProviderName.SKINSBACK, item("A"), item("B")))

    assert [row[0] for row in rows_of(shown)] == ["AssetPay", "SkinsBack", "SkinsBack"]
    assert inventory_csv(shown)[1].filename == f"inventory-{OWNER}-cs2.csv"


@given(found=st.lists(hostile_items, max_size=10))
def test_any_item(found: list[Item]):
    """Any item is one row, and no cell begins as a formula does."""
    read = table(*found)

    assert len(read) == len(found)
    assert all(None not in row and None not in row.values() for row in read)
    assert not [cell for row in read for cell in row.values() if cell.lstrip().startswith(("=", "+", "-", "@"))]
