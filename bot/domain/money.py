"""Money: an exact amount with its currency."""

from __future__ import annotations

from decimal import Decimal

import msgspec

USD = "USD"


class Money(msgspec.Struct, frozen=True, gc=False):
    """An amount in whole units of ``currency`` (dollars, not cents), never a float.

    ``currency`` is the provider's code in upper case: ISO 4217, or a merchant's own of up to four letters.
    """

    amount: Decimal
    currency: str = USD

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError("an amount of money is finite")

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return Money(self.amount + other.amount, self.currency)

    def times(self, count: int) -> Money:
        """Return what ``count`` pieces cost."""
        return Money(self.amount * count, self.currency)
