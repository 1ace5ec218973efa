"""Amounts of money."""

from __future__ import annotations

from decimal import Decimal

import msgspec

USD = "USD"


class Money(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An exact amount in whole units of ``currency`` (dollars, not cents)."""

    amount: Decimal
    currency: str = USD
    """The provider's code in upper case: ISO 4217, or a merchant's own of up to four letters."""

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError("an amount of money is finite")


def currency_order(currency: str) -> tuple[bool, str]:
    """Return a sort key of currencies: USD first, then by code. Amounts of different currencies do not compare."""
    return currency != USD, currency
