"""The details of any item fit Discord and are only text."""

import re
from decimal import Decimal
from typing import Any

import discord
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.failures import ProviderName
from bot.domain.inventory import InventoryFilter, Item, MerchantPrice, Refusal, Sticker
from bot.domain.money import Money
from bot.domain.snapshots import Audience, InventoryAnswer, Listing
from bot.ui.inventory.details import item_details
from tests.domain.builders import inventory, item, rub, usd
from tests.support.hostile_items import hostile_items, violations
from tests.support.hostile_text import rendered
from tests.support.seen import embed_text
from tests.ui.test_inventory_page import PLAIN, answer, at

MARKET = "https://steamcommunity.com/market/listings/"


def details(shown: InventoryAnswer, position: int = 0, audience: Audience = Audience.CUSTOMER) -> str:
    listing = Listing.of(shown, None)
    return embed_text(item_details(listing, listing.rows[position], audience=audience))


def test_every_provider():
    """A comparison shows each provider's offer and market price, its refusal, or that it does not list the item."""
    ours = at(ProviderName.ASSETPAY, item("A", "1", market_price=usd("1.50")))
    theirs = at(ProviderName.SKINSBACK, item("A", "9", refusal=Refusal.DISABLED), item("B"))
    text = details(answer(ours, theirs))

    assert "AssetPay\n✅ Accepted at **$1.00** · 67% of the market price, $1.50" in text
    assert "SkinsBack\n❌ Refused: the provider does not take this item" in text
    assert "AssetPay\n– not in its list" in details(answer(ours, theirs), 1)
    filtered = answer(ours, theirs, by=InventoryFilter(min_price=Decimal(1)))
    assert "AssetPay\n– not among the items that it was asked for" in details(filtered, 1)


def test_merchant_price():
    """What SkinsBack pays the shop is named as that, alone and side by side; a price of its own too."""
    price = MerchantPrice(usd("0.07"), rub("6.49"))
    theirs = at(ProviderName.SKINSBACK, item("A", rub("4.54"), id="1"), merchant_prices={"1": price})

    assert "Accepted at **₽4.54**\nSkinsBack pays the shop $0.07 (₽6.49)" in details(answer(theirs))
    assert "SkinsBack pays the shop $0.07 (₽6.49)" in details(answer(inventory(), theirs))
    own = at(ProviderName.SKINSBACK, item("A", "0.07"), credits_known=False)
    assert "SkinsBack's price: **$0.07**" in details(answer(own))


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"offer": "10.75"}, "Accepted at **$10.75** · 86% of the market price, $12.50"),
        ({"offer": "25"}, "200% of the market price, $12.50"),
        ({"offer": "10.75", "market_price": Money(Decimal(9), "EUR")}, "Accepted at **$10.75** · market €9.00"),
        ({"offer": "10.75", "market_price": usd("0")}, "Accepted at **$10.75** · market $0.00"),
        ({"refusal": Refusal.NO_OFFER}, "Refused: no buyer for it at the moment · market $12.50"),
        ({"max_amount": 5}, "At most 5 of these in one deposit"),
    ],
)
def test_offer_against_market_price(facts: dict[str, Any], line: str):
    """The offer is compared with a market price in the same currency only."""
    assert line in details(answer(inventory(item(**{"market_price": usd("12.50")} | facts))))


HEX = "0018" + "3C20B803280538E9A3C5DD0340E102C246A0D1"


@pytest.mark.parametrize(
    ("certificate", "game", "is_link"),
    [
        ("S76561198012345678A12345678D8888888888888888888", 730, True),
        ("M4242424242A12345678D16111883563326467925", None, True),
        (HEX, 730, True),
        (f"S76561198012345678A12345678D{HEX}", 730, True),
        (HEX * 19, 730, True),
        ("S76561198012345678A12345678D8888888888888888888", 252490, False),
        ("S1A2D3 +quit", 730, False),
        ("S1A2D3\n", 730, False),
        ("S1A2", 730, False),
        (f"{HEX}0", 730, False),
        ("%20+exec", 730, False),
        ("S1A2D\u0663", 730, False),
        ("00" * 401, 730, False),
    ],
)
def test_inspect_link(certificate: str, game: int | None, is_link: object):
    """A certificate of a form that CS2 knows is a link into the game; any other is only shown."""
    text = details(answer(inventory(item(inspect_certificate=certificate, app_id=game))))

    link = f"steam://rungame/730/76561202255233023/+csgo_econ_action_preview%20{certificate}"
    assert (f"`{link}`" in text) is is_link
    assert ("steam://" in text) is is_link
    assert ("`csgo_econ_action_preview " in text) is (is_link and len(certificate) < 400)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("Sticker | Natus Vincere | Katowice 2019", "Sticker%20%7C%20Natus%20Vincere%20%7C%20Katowice%202019"),
        ("★ Karambit (FN)", "%E2%98%85%20Karambit%20%28FN%29"),
        ("](https://evil.example) [x", "%5D%28https%3A%2F%2Fevil.example%29%20%5Bx"),
        ("../../..\ud800", "..%2F..%2F..%3F"),
    ],
)
def test_market_pages(name: str, page: str):
    """An item and its stickers lead to their own pages on Steam's market, with any name."""
    stickers = (Sticker("Na[V]i", 0, Decimal("0.05"), name), Sticker("Old", 1))
    text = details(answer(inventory(item(market_hash_name=name, stickers=stickers))))

    assert f"[Its page on Steam's market]({MARKET}730/{page})" in text
    assert f"Slot 1: [Na\\[V\\]i]({MARKET}730/{page}) · wear 0.05\nSlot 2: Old" in text
    many = details(answer(inventory(item(stickers=(Sticker("S", 0, None, name * 40),) * 9))))
    assert "9 stickers" in many
    assert "more line" not in many


def test_request_id():
    """Staff see the id of the provider's answer, by which its support finds it; customers do not."""
    one = answer(inventory(item(), request_id="req`7"))

    assert "AssetPay: request id `req\u02cb7`" in details(one, audience=Audience.STAFF)
    assert "request id" not in details(one)


@pytest.mark.parametrize(
    ("colour", "shown"), [(0xD32CE6, 0xD32CE6), (-1, 0x5865F2), (2**24, 0x5865F2), (None, 0x5865F2)]
)
def test_colour(colour: int | None, shown: int):
    """A valid colour of the rarity is used."""
    listing = Listing.of(answer(inventory(item(colour=colour))), None)

    assert item_details(listing, listing.rows[0], audience=Audience.CUSTOMER).colour == discord.Colour(shown)


@given(found=hostile_items, theirs=st.none() | hostile_items)
@example(found=Item(id="", name="", refusal=None, inspect_certificate="]("), theirs=None)  # harmless as code
def test_any_item(found: Item, theirs: Item | None):
    """With any item, Discord takes the details, and they are only text."""
    others = [] if theirs is None else [at(ProviderName.SKINSBACK, theirs)]
    listing = Listing.of(answer(inventory(found), *others), None)
    embed = item_details(listing, found, audience=Audience.STAFF)

    assert violations(embed) == []
    for text in (embed.title, embed.description, *(field.value for field in embed.fields)):
        if text:
            assert set(rendered(text, "embed")[0]) <= {*PLAIN, "link_open", "link_close"}
            without_code = re.sub(r"(?<!\\)`[^`]*`", "", text)
            assert all(link.startswith(MARKET) for link in re.findall(r"(?<!\\)\]\((\S+)", without_code))
