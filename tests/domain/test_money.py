"""Money is an exact amount of one currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from tests.domain.builders import PROPERTY, usd

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=4)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_not_finite(amount):
    """What is no number of anything is no amount."""
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal(amount))


def test_default_currency():
    """Amounts are US dollars where nothing else is said."""
    assert Money(Decimal(1)).currency == "USD"


def test_exact():
    """Tenths add up as on paper, not as floats do."""
    assert usd("0.10") + usd("0.20") == usd("0.30")
    assert usd("0.07").times(3) == usd("0.21")


def test_currencies_do_not_mix():
    """Two currencies neither add up nor equal each other."""
    with pytest.raises(ValueError, match="USD and EUR"):
        usd("1") + Money(Decimal(1), "EUR")

    assert usd("1") != Money(Decimal(1), "EUR")


def test_a_float_is_no_amount():
    """A float is refused before it can bring its error along."""
    amount: Any = 0.1
    with pytest.raises((TypeError, AttributeError)):
        Money(amount)


def test_no_order():
    """Amounts are not compared as such: which currency is worth more is not ours to say."""
    amounts: list[Any] = [usd("1"), usd("2")]
    with pytest.raises(TypeError):
        sorted(amounts)


@PROPERTY
@given(amount=AMOUNTS, count=st.integers(0, 100))
def test_times(amount, count):
    """So many pieces cost as much as adding them one by one, in the same currency."""
    total = Money(Decimal(0), "EUR")
    for _ in range(count):
        total += Money(amount, "EUR")

    assert Money(amount, "EUR").times(count) == total


@PROPERTY
@given(amounts=st.lists(AMOUNTS, min_size=2, max_size=2))
def test_sum_does_not_depend_on_the_order(amounts):
    """Adding is the same both ways round."""
    one, other = (Money(amount) for amount in amounts)

    assert one + other == other + one
