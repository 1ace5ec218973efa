"""The rows of an inventory's pages, and answers without trade codes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Refusal, Sort, Sum, name_of
from bot.domain.snapshots import (
    InventoryAnswer,
    Listing,
    ProviderAnswer,
    TradesPart,
    best_providers,
    offers_for,
    price_range,
)
from bot.domain.steam import Game
from bot.domain.trades import UnreadRow
from tests.domain.builders import NOW, OWNER, item, rub, trade, trades_answer, usd

OURS, THEIRS = ProviderName.ASSETPAY, ProviderName.SKINSBACK


def of(provider: ProviderName, *items: Item) -> ProviderAnswer:
    return ProviderAnswer(provider, Inventory(provider, OWNER, Game.CS2, items, len(items), NOW))


def answer(*parts: ProviderAnswer, by: InventoryFilter | None = None) -> InventoryAnswer:
    return InventoryAnswer(OWNER, Game.CS2, by or InventoryFilter(), parts)


def shown(listing: Listing) -> list[str]:
    return [name_of(listing.rows[position]) for position in listing.shown]


def test_one_provider():
    """One provider's items keep their order, and equal ones are all listed."""
    listing = Listing.of(answer(of(OURS, item("B"), item("A"), item("B"))), None)

    assert shown(listing) == ["B", "A", "B"]
    assert listing.sums == {OURS: Sum(3, 3, (usd("32.25"),))}
    assert listing.shown_sum is None
    assert not listing.is_comparison


def test_filtered():
    """A view selects the matching positions and adds them up; positions stay those of all rows."""
    items = [item("AK", "1"), item("AWP", "3"), item("AK", "2", refusal=Refusal.NO_OFFER), item("M4", "9")]
    listing = Listing.of(answer(of(OURS, *items)), InventoryFilter("a", Sort.PRICE_DESC, Decimal("1.5")))

    assert list(listing.shown) == [1, 2]
    assert listing.shown_sum == Sum(2, 1, (usd("3"),))
    assert listing.sums[OURS].items == 4
    assert listing.row(3) == items[3]
    assert listing.row(4) is listing.row(-1) is None


def test_order_that_was_asked_for():
    """Items that the provider sorted are not sorted again by another alphabet."""
    asked = answer(of(OURS, item("Ä"), item("A")), by=InventoryFilter(sort=Sort.NAME_ASC))

    assert shown(Listing.of(asked, InventoryFilter("", Sort.NAME_ASC, Decimal(0)))) == ["Ä", "A"]
    assert shown(Listing.of(asked, InventoryFilter(sort=Sort.NAME_DESC))) == ["Ä", "A"]


def test_side_by_side():
    """Several providers' items are listed once for each name, at the best accepted offer."""
    both = answer(
        of(OURS, item("A", "1"), item("B", "8", refusal=Refusal.NO_OFFER)),
        of(THEIRS, item("C", "5"), item("A", "3"), item("B", "2")),
    )
    listing = Listing.of(both, InventoryFilter(sort=Sort.PRICE_DESC))

    assert listing.is_comparison
    assert shown(listing) == ["C", "A", "B"]
    assert shown(Listing.of(both, None)) == ["A", "B", "C"]
    assert shown(Listing.of(both, InventoryFilter(min_price=Decimal(3)))) == ["A", "C"]
    assert {provider: each.items for provider, each in listing.sums.items()} == {OURS: 2, THEIRS: 3}


def test_side_by_side_in_the_order_that_was_asked_for():
    """Several providers' items are sorted together, although each provider sorted its own."""
    both = answer(
        of(OURS, item("A", "5"), item("B", "1")),
        of(THEIRS, item("C", "100"), item("B", "50"), item("A", "4")),
        by=InventoryFilter(sort=Sort.PRICE_DESC),
    )

    assert shown(Listing.of(both, None)) == ["C", "B", "A"]
    assert shown(Listing.of(both, InventoryFilter("", Sort.PRICE_DESC, Decimal(0)))) == ["C", "B", "A"]


def test_names_as_they_are_shown():
    """Names are sorted with their exterior, as the page shows them."""
    worn = [
        item("Redline", market_hash_name=f"Redline ({exterior})")
        for exterior in ("Minimal Wear", "Battle-Scarred", "Field-Tested")
    ]
    listing = Listing.of(answer(of(OURS, *worn)), InventoryFilter(sort=Sort.NAME_ASC))

    assert shown(listing) == ["Redline (Battle-Scarred)", "Redline (Field-Tested)", "Redline (Minimal Wear)"]


def test_one_of_several_that_failed():
    """A provider that failed has no items and no sum."""
    failed = ProviderAnswer(THEIRS, failure=Failure(THEIRS, FailureKind.TIMED_OUT))
    listing = Listing.of(answer(of(OURS, item("A")), failed), None)

    assert (shown(listing), list(listing.sums)) == (["A"], [OURS])


def test_offers():
    """Each provider's items are found for each name: an accepted one before a dearer refused one, a dear one first."""
    both = answer(
        of(OURS, item("A", "1"), item("A", "9", refusal=Refusal.NO_OFFER), item("A", "2")), of(THEIRS, item("B"))
    )
    found = offers_for(both, ["A", "Z"])

    assert [each.offer for each in found["A"][OURS]] == [usd("2"), usd("1"), usd("9")]
    assert found == {"A": {OURS: found["A"][OURS]}, "Z": {}}
    assert price_range(found["A"][OURS]) == (usd("1"), usd("2"))
    assert price_range(found["A"][OURS][2:]) is None


def test_side_by_side_in_several_currencies():
    """A name in both currencies stands for its USD offer; those only in others come after, in their own order."""
    both = answer(
        of(OURS, item("A", "1"), item("B", "2", refusal=Refusal.NO_OFFER)),
        of(THEIRS, item("C", rub("5")), item("A", rub("900")), item("B", rub("200"))),
    )

    assert both.currencies == ("USD", "RUB")
    assert shown(Listing.of(both, InventoryFilter(sort=Sort.PRICE_DESC))) == ["A", "B", "C"]
    assert shown(Listing.of(both, InventoryFilter(sort=Sort.PRICE_ASC))) == ["A", "C", "B"]
    # A bound counts in each provider's own currency.
    assert shown(Listing.of(both, InventoryFilter(min_price=Decimal(100)))) == ["A", "B"]
    assert Listing.of(both, None).rows[0].offer == usd("1")


def test_own_prices_do_not_compare_with_credits():
    """Where a provider named only its own price, another one's credit stands for the name, and is sorted before."""
    theirs = of(THEIRS, item("B", "900"), item("A", "50"))
    assert theirs.inventory is not None
    unsure = replace(theirs, inventory=replace(theirs.inventory, credits_known=False))
    listing = Listing.of(answer(of(OURS, item("A", "1")), unsure), InventoryFilter(sort=Sort.PRICE_DESC))

    assert shown(listing) == ["A", "B"]
    assert listing.rows[0].offer == usd("1")


@pytest.mark.parametrize(
    ("ours", "theirs", "best"),
    [
        ([item(offer="2")], [item(offer="3")], {THEIRS}),
        ([item(offer="2")], [item(offer="2")], set()),
        ([item(offer="2")], [], set()),
        ([item(offer="2")], [item(offer="3", refusal=Refusal.DISABLED)], set()),
        ([item(offer="2")], [item(offer=rub("300"))], set()),
        ([item(offer="1100"), item(offer="5200")], [item(offer="1000"), item(offer="5200")], {OURS}),
        ([item(offer="1100"), item(offer="5200")], [item(offer="1000"), item(offer="5300")], set()),
    ],
)
def test_best_offer(ours, theirs, best):
    """The best offer is marked only among accepted offers of one currency, and only if it is the best one clearly."""
    both = answer(of(OURS, *ours), of(THEIRS, *theirs))

    assert best_providers(both, offers_for(both, [item().name])[item().name]) == best


def test_rows_of_trades():
    """Rows that cannot be read take room too: a provider may send as many of them as of trades."""
    part = TradesPart(ProviderName.SKINSBACK, unread=(UnreadRow("items[0]"),) * 3)

    assert replace(trades_answer(trade(), trade()), parts=(part, part)).row_count == 8
