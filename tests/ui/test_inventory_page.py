"""A page of an inventory shows each item's offer or refusal, and fits Discord with any content."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, MerchantPrice, Refusal, Sort, Sticker
from bot.domain.snapshots import Audience, InventoryAnswer, Listing, ProviderAnswer, Snapshot
from bot.domain.steam import Game
from bot.languages import ENGLISH, LANGUAGES, Language, in_language
from bot.providers.explanations import Catalogue
from bot.ui.inventory.details import item_details
from bot.ui.inventory.page import inventory_page
from bot.ui.inventory_pages import shown_page
from bot.ui.kit.layout import page_at
from tests.domain.builders import NOW, OWNER, inventory, item, rub, usd
from tests.support.hostile_items import failures, filters, hostile_items, violations
from tests.support.hostile_text import rendered
from tests.support.made_up import MadeUpLanguage, made_up
from tests.support.seen import embed_text

EXPLANATIONS = Catalogue.load()
PLAIN = {"paragraph", "inline", "text", "break", "strong_open", "strong_close", "code", "timestamp"}
OTHER_TOKEN = "one fixed client token"


def answer(*parts: Inventory | Failure, by: InventoryFilter | None = None) -> InventoryAnswer:
    answers = tuple(
        ProviderAnswer(part.provider, inventory=part)
        if isinstance(part, Inventory)
        else ProviderAnswer(ProviderName(part.provider), failure=part)
        for part in parts
    )
    return InventoryAnswer(OWNER, Game.CS2, by or InventoryFilter(), answers, linked_user_id=5)


def page(shown: InventoryAnswer, audience: Audience = Audience.CUSTOMER) -> str:
    listing = Listing.of(shown, None)
    embed = inventory_page(listing, page_at(listing.shown, 0, 8), explanations=EXPLANATIONS, audience=audience)
    return f"{embed.title}\n{embed.description}\n{embed.footer.text}"


def at(provider: ProviderName, *items: Item, **facts: object) -> Inventory:
    return replace(inventory(*items), provider=provider, **facts)  # type: ignore[arg-type]


def test_what_an_item_brings():
    """The offer stands out; the market price is named as such; wear and stickers are shown if known."""
    found = item(
        "AK-47",
        "1204.5",
        market_hash_name="AK-47 | Redline (Field-Tested)",
        market_price=usd("1300"),
        wear=Decimal("0.25432"),
        stickers=(Sticker("a"), Sticker("b")),
    )

    assert (
        "✅ **AK-47 | Redline (Field-Tested)**\nAccepted at **$1,204.50** · market $1,300.00 · wear 0.2543 · 2 stickers"
    ) in page(answer(inventory(found)))


@pytest.mark.parametrize(
    ("by", "line"),
    [
        (InventoryFilter("karam**bit", Sort.PRICE_DESC), r"Only: name has “karam\*\*bit” · highest price first"),
        (InventoryFilter(min_price=Decimal("0.5"), max_price=Decimal("1E+3")), "Only: from $0.50 · up to $1,000.00"),
        (InventoryFilter(sort=Sort.NAME_DESC), "Sorted: names Z to A"),
    ],
)
def test_what_was_asked_for(by: InventoryFilter, line: str):
    """Search, prices and order are repeated above the items, on a page without a match too."""
    assert line in page(answer(inventory(item("AK-47")), by=by))
    assert line in page(answer(inventory(), by=by))


def test_nothing_there():
    """An empty inventory, a search without a match, and no answer at all have different texts."""
    empty, no_match = inventory(), InventoryFilter("zzz")
    private = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, key="INVENTORY_FETCH_FAILED")
    slow = Failure(ProviderName.SKINSBACK, FailureKind.TIMED_OUT)

    assert "This inventory is empty" in page(answer(empty))
    assert "Nothing matches" in page(answer(empty, by=no_match))
    assert "This inventory is empty" in page(answer(empty, slow))
    assert "No provider could show this inventory" in page(answer(private, slow))
    assert "No provider could show this inventory" in page(answer(private, slow, by=no_match))


def test_side_by_side():
    """Each item stands once with what every provider pays for it; of equal ones each price."""
    ours = at(ProviderName.ASSETPAY, item("A", "1"), item("B", "2", refusal=Refusal.NO_OFFER), item("A", "3"))
    theirs = at(ProviderName.SKINSBACK, item("C", "5"), item("A", "9", refusal=Refusal.DISABLED), item("A", "0.5"))
    page_of_both = page(answer(ours, theirs))
    text = page_of_both.replace("\N{NO-BREAK SPACE}", " ")

    assert "⭐\N{NO-BREAK SPACE}2× $1.00–$3.00" in page_of_both
    assert "**A**\nAssetPay ⭐ 2× $1.00–$3.00 (best) · SkinsBack ✅ $0.50 (1 refused)\n" in text
    assert "**B**\nAssetPay ❌ refused · SkinsBack –\n" in text
    assert "**C**\nAssetPay – · SkinsBack ✅ $5.00" in text
    assert "**AssetPay** (USD): 2 of 3 items can be deposited · $4.00 · <t:" in text


KARAMBIT = "★ Karambit | Doppler (Factory New)"


@pytest.mark.parametrize(
    ("ours", "theirs", "column", "listed"),
    [
        (
            ("1100", "5200"),
            (),
            "2× $1,100.00–$5,200.00",
            ["1× ✅ Accepted at **$5,200.00**", "1× ✅ Accepted at **$1,100.00**"],
        ),
        (("1100", "1100"), (), "2× $1,100.00", ["2× ✅ Accepted at **$1,100.00**"]),
        (("1100", None), (), "$1,100.00 (1 refused)", ["1× ✅ Accepted at **$1,100.00**", "1× ❌ Refused: no buyer"]),
        ((None, None), (), "2× refused", ["2× ❌ Refused: no buyer"]),
        (("1100", "5200"), ("1000", "5200"), "2× $1,100.00–$5,200.00 (best)", ["1× ✅ Accepted at **$1,000.00**"]),
    ],
)
def test_one_name_at_several_prices(ours, theirs, column, listed):
    """Phases of a Doppler share a name: the page says how many and from what to what, the details every price."""
    both = answer(
        *(
            at(provider, *(item(KARAMBIT, price, refusal=None if price else Refusal.NO_OFFER) for price in prices))
            for provider, prices in ((ProviderName.ASSETPAY, ours), (ProviderName.SKINSBACK, theirs))
        )
    )
    listing = Listing.of(both, None)
    details = embed_text(item_details(listing, listing.rows[0], audience=Audience.CUSTOMER))

    assert f"\N{NO-BREAK SPACE}{column}" in page(both)
    assert [each for each in listed if each not in details] == []


def test_currencies_side_by_side():
    """Each column names its currency, amounts of different ones are not compared, and staff read how they could be."""
    ours = at(ProviderName.ASSETPAY, item("A", "3"))
    shown = answer(ours, at(ProviderName.SKINSBACK, item("A", rub("200"))), by=InventoryFilter(min_price=Decimal(2)))
    texts = {audience: page(shown, audience=audience).replace("\N{NO-BREAK SPACE}", " ") for audience in Audience}

    for text in texts.values():
        assert "**SkinsBack** (RUB): 1 of 1 item can be deposited · ₽200.00" in text
        assert "AssetPay ✅ $3.00 · SkinsBack ✅ ₽200.00" in text
        assert "Amounts in different currencies are not compared." in text
        assert "Only: from 2 · prices in each provider's own currency" in text
    assert ["`currency`" in text for text in texts.values()] == [False, True]
    alike = page(answer(ours, at(ProviderName.SKINSBACK, item("A", "4"))), audience=Audience.STAFF)
    assert "not compared" not in alike
    assert "`currency`" not in alike


def test_own_prices():
    """What is only SkinsBack's own price is called that, alone and side by side, and marked as no best offer."""
    theirs = at(ProviderName.SKINSBACK, item("A", "4"), credits_known=False)
    alone, compared = page(answer(theirs)), page(answer(inventory(item("A", "3")), theirs))

    assert "**1 of 1 item can be deposited · $4.00 · SkinsBack's own prices**" in alone
    assert "✅ **A**\nSkinsBack's price: **$4.00**" in alone
    assert "Accepted at" not in alone
    assert "**SkinsBack** (its own prices, USD)" in compared
    assert "⭐" not in compared
    for text in (alone, compared):
        assert "SkinsBack sent only its own prices. The shop may credit a different amount." in text


def test_stacks_side_by_side():
    """A stack says how many it holds, which may differ between providers, and that a price is for one piece."""
    ours = at(ProviderName.ASSETPAY, item("Cloth", "0.04", amount=7, max_amount=10))
    theirs = at(ProviderName.SKINSBACK, item("Cloth", amount=1_204, refusal=Refusal.DISABLED))

    text = page(answer(ours, theirs)).replace("\N{NO-BREAK SPACE}", " ")

    assert "**Cloth**\nAssetPay ✅ 7× $0.04 · SkinsBack ❌ 1,204× refused" in text


def test_confidential_failures_side_by_side():
    """A confidential failure is not explained on a page that customers may read."""
    refused = Failure(ProviderName.SKINSBACK, FailureKind.REFUSED, code=-10, key="invalid_client_secret")
    text = page(answer(inventory(item("A")), refused))

    assert "**SkinsBack**: ⚠️ Not set up right here" in text
    assert "account" not in text.split("SkinsBack**")[1]


def test_whose_items_they_are():
    """Items of a fixed token's own account are announced as that, alone and side by side; others are not."""
    unsure = at(ProviderName.ASSETPAY_CLIENT, item("A"), owner_certain=False)
    sure = at(ProviderName.SKINSBACK, item("A"))

    assert OTHER_TOKEN in page(answer(unsure))
    assert OTHER_TOKEN in page(answer(sure, unsure))
    assert OTHER_TOKEN not in page(answer(sure, sure))


def dearest(name: str, provider: ProviderName, number: int) -> Item:
    """Return an item of which everything that a provider of this kind sends takes up much room."""
    facts: dict[str, object] = {"stickers": (Sticker("x"),) * 5, "id": str(number), "exterior": "Well-Worn" * 2}
    facts |= {"amount": 10**6, "max_amount": 10**6, "market_price": usd("9" * 15)}
    if provider is ProviderName.SKINSBACK:
        return item(f"{number:03d}{name}", rub("1234567.89"), **facts)
    facts |= {"market_price": usd("12345.67"), "wear": Decimal("0.12345")}
    return item(f"{number:03d}{name}", "12345.67", **facts)


@pytest.mark.parametrize("language", [ENGLISH, MadeUpLanguage()], ids=str)
@pytest.mark.parametrize("page_size", [1, 8, 15, 25])
@pytest.mark.parametrize("name", ["*" * 300, "W" * 300, "👨‍👩‍👧‍👦" * 40, "AK-47 | Redline (Field-Tested)"])
def test_every_item_of_a_page_is_there(page_size: int, name: str, language: Language):
    """However long names, facts and words are, and however many items a page has by setting, none is cut off."""
    by = InventoryFilter("*" * 100, Sort.PRICE_ASC, Decimal("0.01"), Decimal("99999.99"))
    for provider in (ProviderName.ASSETPAY, ProviderName.SKINSBACK):
        items = [dearest(name, provider, number) for number in range(60)]
        prices = {each.id: MerchantPrice(usd("12345.67"), each.offer) for each in items}
        alone = answer(at(provider, *items, total=6000, merchant_prices=prices), by=by)
        others = [msgspec.structs.replace(each, offer=usd("1")) for each in items]
        compared = answer(*(at(each, *items, *others) for each in list(ProviderName)[:4]), by=by)
        for shown in (alone, compared):
            listing = Listing.of(shown, None)
            shown_items = page_at(listing.shown, 1, page_size)
            with in_language(language):
                embed = inventory_page(listing, shown_items, explanations=EXPLANATIONS, audience=Audience.STAFF)
            text = embed.description or ""

            assert all(f"**{number:03d}" in text for number in range(page_size, 2 * page_size))
            assert not text.endswith("…")


def test_pages_in_turn():
    """A page that was shown in one language is not taken from a cache for readers of another."""
    shown = answer(inventory(item("AK-47", wear=Decimal("0.25"))))
    english = page(shown)
    with in_language(MadeUpLanguage()):
        other = page(shown)

    assert "Accepted at" in english
    assert "Accepted at" not in other
    assert made_up("Accepted at {price}").format(price="**$10.75**") in other
    assert page(shown) == english


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"collateral": usd("150")}, "Room for instant credit: $150.00"),
        ({"collateral": usd("0")}, None),
        ({"left_out": 1}, "⚠️ 1 item could not be read and is left out."),
        ({"left_out": 3}, "⚠️ 3 items could not be read and are left out."),
    ],
)
def test_credit_and_losses(facts: dict[str, Any], line: str | None):
    """The head names the room for instant credit and what could not be read; of several providers whose it is."""
    one, other = at(ProviderName.ASSETPAY, item(), **facts), at(ProviderName.SKINSBACK, item())
    alone, beside = page(answer(one)), page(answer(one, other))

    if line is None:
        assert "credit" not in alone + beside
    else:
        assert f"\n{line}\n" in alone
        assert beside.casefold().count(f"assetpay · {line.removeprefix('⚠️ ')}".casefold()) == 1


def viewed_snapshot(shown: InventoryAnswer, view: InventoryFilter | None, fresh_until: datetime | None = None) -> str:
    listing = Listing.of(shown, view)
    page = page_at(listing.shown, 0, 8)
    embed = inventory_page(listing, page, explanations=EXPLANATIONS, fresh_until=fresh_until)
    return embed.description or ""


def test_filter():
    """What its reader has narrowed stands under what was asked for, with what is left; the head stays the whole."""
    found = inventory(item("AK-47", "1"), item("AWP", "2"), item("AWP", "3", refusal=Refusal.NO_OFFER))
    text = viewed_snapshot(answer(found, by=InventoryFilter("a")), InventoryFilter("awp", Sort.PRICE_DESC))

    assert "**2 of 3 items can be deposited · $3.00**" in text
    assert "Only: name has “a”\nFilter: name has “awp”\nShown: 2 of 3 items · 1 accepted · $2.00\n" in text
    assert "Sorted: highest price first" in text
    assert "AK-47" not in text


def test_filter_without_matches():
    """If nothing matches the reader's filter, the page says how to see all items again."""
    text = viewed_snapshot(answer(inventory(item("AK-47"))), InventoryFilter("zzz"))

    assert "Shown: none of 1 item" in text
    assert "Nothing matches your filter. Press *Clear filter* to see 1 item" in text


def test_exterior():
    """The exterior is shown if it is not part of the name."""
    named = item("AK-47", market_hash_name="AK-47 (Field-Tested)", exterior="Field-Tested", wear=Decimal("0.2"))
    bare = item("AK-47", exterior="Field-Tested", wear=Decimal("0.2"))

    assert "Accepted at **$10.75** · wear 0.2000" in page(answer(inventory(named)))
    assert "Accepted at **$10.75** · Field-Tested · wear 0.2000" in page(answer(inventory(bare)))


@given(
    found=st.lists(hostile_items, max_size=40),
    asked=filters,
    view=st.none() | filters,
    run_in_worker=st.lists(failures, max_size=2),
    page_size=st.integers(1, 25),
    index=st.integers(0, 40),
    fresh_until=st.none() | st.just(NOW),
    language=st.sampled_from([*LANGUAGES.values(), MadeUpLanguage()]),
)
def test_any_inventory(
    found: list[Item],
    asked: InventoryFilter,
    view: InventoryFilter | None,
    run_in_worker: list[Failure],
    page_size: int,
    index: int,
    fresh_until: datetime | None,
    language: Language,
):
    """With any items and any typed text, Discord takes page and controls, and they are only text."""
    shown = answer(inventory(*found), *run_in_worker, by=asked)
    pages = Snapshot("AAAAAAAAAAA-", 1, 2, Audience.CUSTOMER, shown, NOW, NOW, view)
    with in_language(language):
        embed, controls = shown_page(
            pages,
            Listing.of(shown, view),
            index,
            page_size=page_size,
            explanations=EXPLANATIONS,
            fresh_until=fresh_until,
        )

    assert violations(embed, controls) == []
    kinds, _ = rendered(str(embed.description), "embed")
    assert set(kinds) <= {*PLAIN, "mention", "user_mention", "emphasis_open", "emphasis_close", "em_open", "em_close"}
