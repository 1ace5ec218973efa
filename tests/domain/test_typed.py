"""Searches and prices as people type them."""

import re
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.inventory import InventoryFilter, Sort
from bot.domain.typed import folded, price_from
from tests.domain.builders import item

ROUCHARD = "Chef d'Escadron Rouchard | Gendarmerie Nationale"


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("chef d\u2019escadron", ROUCHARD),
        ("d\u00b4escadron rouchard", ROUCHARD),
        ("CHEF\u00a0D`ESCADRON", ROUCHARD),
        ("chef d'escadron", ROUCHARD.replace("'", "\u2019")),
        ("\uff32\uff4f\uff55\uff43\uff48\uff41\uff52\uff44", ROUCHARD),
        ("ak\u201147", "AK-47 | Redline"),
        ("ak\u201347 redline", "AK-47 | Redline"),
        ("ak-47", "AK\u201347 | Redline"),
        ("\u201cthe one\u201d", 'Name Tag: "The One"'),
        ("\u00abThe", 'Name Tag: "The One"'),
        ('sticker "the', "Sticker | \u201eThe One\u201c"),
        ("do\u0308ner", "Sticker | D\u00f6ner"),
        ("d\u00f6ner", "Sticker | Do\u0308ner"),
        ("stattrak\u2122 m4", "StatTrak\u2122 M4A4"),
        ("stattrak m4", "StatTrak\u2122 M4A4"),
        ("\uff71\uff77\uff97", "\u30a2\u30ad\u30e9"),
        ("red\u200bline", "AK-47 | Redline"),
        ("FİRE SERPENT", "AK-47 | Fire Serpent"),
        ("f\u0131re serpent", "AK-47 | Fire Serpent"),
        ("FI\u0307RE", "AK-47 | Fire Serpent"),
        ("ISTANBUL", "Sticker | İstanbul"),
        ("\u0131stanbul", "Sticker | Istanbul"),
        ("KILIÇ", "Sticker | K\u0131l\u0131ç"),
        ("kiliç", "Sticker | KILIÇ"),
    ],
)
def test_search_as_people_type_it(typed: str, finds: str):
    """Apostrophes, quotes, hyphens, spaces, NFC and NFD and full-width forms are alike in name and search."""
    items = (item(finds), item("M4A1-S | Basilisk"))

    assert InventoryFilter.of(search=typed).apply(items) == items[:1]
    assert InventoryFilter(search=typed).apply((item("x", market_hash_name=finds), items[1]))[0].name == "x"


def test_what_a_provider_is_asked_for():
    """The search is written as Steam writes names: straight signs in NFC, but its own letters and trademark sign."""
    typed = "Chef\u00a0d\u2019Escadron \u2122 \u2605 do\u0308ner \uff21K\u201147 F\u0130RE f\u0131re"
    assert InventoryFilter.of(search=typed).search == "Chef d'Escadron \u2122 \u2605 d\u00f6ner AK-47 FIRE fire"


def test_names_are_sorted_by_what_they_look_like():
    items = tuple(map(item, ("b\u2019c", "\uff21", "b'a", "c")))
    assert [each.name for each in InventoryFilter(sort=Sort.NAME_ASC).apply(items)] == [
        "\uff21",
        "b'a",
        "b\u2019c",
        "c",
    ]


@given(st.text(max_size=30))
def test_forms_of_unicode_do_not_matter(text: str):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folded(unicodedata.normalize(form, folded(text))) == folded(folded(text))


PRICES = {
    "0": "0|\uff10|0 $|0,0",
    "12.50": "12.50|12,50|12.50\u20ac|\u20ac12,50|12,5 \u20bd|\uff11\uff12\uff0e\uff15\uff10|12\u300250|R$ 12,5",
    "5": "$5|5 USD|US$5|5 \u0440\u0443\u0431.|5 z\u0142|\uff04\uff15| 5 ",
    "500": "RUB 500|500\u0440|500 \u20b4|500\u00a0KZT",
    "1204.50": "1.204,50|1,204.50|1 204,50|1\u00a0204,50|1\u202f204,50|1'204.50|1\u2019204,5|1204.5|$1,204.50",
    "1204": "1,204|1 204|1'204|1204",
    "1.204": "1.204|$1.204",
    "0.125": "0,125|0.125",
    "1204500": "1.204.500|1,204,500|1 204 500,00|1204500",
}


@pytest.mark.parametrize(
    ("typed", "price"), [(one, price) for price, all_ in PRICES.items() for one in all_.split("|")]
)
def test_price_as_people_type_it(typed: str, price: str):
    """Marks of thousands and decimals of every habit are understood; a currency's sign is dropped."""
    assert price_from("min_price", typed) == Decimal(price)
    assert price_from("min_price", " $") is price_from("min_price", "\u00a0") is None


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "cheap",
            "-1",
            "\u22121",
            "1e5",
            "NaN",
            "Infinity",
            "1.2.3",
            "12,3456",
            "1,20,300",
            "1 20",
            "\u0663",
            "9" * 13,
        ),
        *("1.", ".5", "5k", "10 cent", "1.204,5,3", "1,204.5.6", "0 500", "1 2 3", "$-5", "5%"),
    ],
)
def test_not_a_price(typed: str):
    """The error names the option that the text was typed into."""
    with pytest.raises(InvalidInput) as error:
        price_from("max_price", typed)

    assert (error.value.option, error.value.problem) == ("max_price", "not_a_price")


PRICES_WITH_COMMA = {
    "12.50": "12,50|12.50|12,5|12.5|12,50 zł|12,50 ZŁ|R$ 12,50|12,50 ₽|12,50 TL|12,50₺|12,50 ₫|12,50đ|€12,50",
    "1204": "1.204|1 204|1\u00a0204|1204|1.204 €|R$ 1.204|1.204,00|1 204,00 zł|1204 元|1204美元",
    "1.204": "1,204|1,2040|1,204 $",
    "0.125": "0,125|0.125",
    "1204500": "1.204.500|1,204,500|1 204 500,00",
    "1204.50": "1.204,50|1,204.50|1 204,50",
}


@pytest.mark.parametrize(
    ("typed", "price"), [(one, price) for price, all_ in PRICES_WITH_COMMA.items() for one in all_.split("|")]
)
def test_price_where_a_comma_begins_decimals(typed: str, price: str):
    """Most of Europe and South America write one comma before decimals, and a dot or a space between thousands."""
    assert price_from("min_price", typed, decimal=",") == Decimal(price)


@given(
    st.decimals(0, 10**9 - 1, places=2),
    st.sampled_from([",.", ".,", " ,", " .", "'.", "\u2019,", "\u00a0,", "\u202f.", "\u2009,"]),
    st.sampled_from(["{}", "${}", "{} \u20ac", "USD {}", "{}\u20bd", " {} uah"]),
    st.sampled_from(".,"),
)
def test_every_way_to_write_a_price(price: Decimal, marks: str, around: str, decimal: str):
    written = f"{price:,}".translate({ord(","): marks[0], ord("."): marks[1]})
    assert price_from("min_price", around.format(written), decimal=decimal) == price


@given(st.text(st.sampled_from("0123456789 .,'$\u20ac-eUSD\uff15"), max_size=12), st.sampled_from(".,"))
def test_a_price_is_never_guessed(typed: str, decimal: str):
    """Any text is empty, an error, or an amount of exactly the digits that were typed."""
    try:
        price = price_from("min_price", typed, decimal=decimal)
    except InvalidInput:
        return
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", typed)).lstrip("0")
    assert price is None or "".join(map(str, price.as_tuple().digits)).lstrip("0") == digits
