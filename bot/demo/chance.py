"""Made-up but repeatable data: a seed always gives the same values."""

from __future__ import annotations

import random
import string
import uuid
from datetime import timedelta
from decimal import Decimal

IMAGE_ALPHABET = string.ascii_letters + string.digits + "_-"
"""The characters of icon hashes and trade tokens (providers.md, 5.1 and 5.2)."""


class Chance(random.Random):
    """A seeded source of plausible values."""

    def __init__(self, seed: int, *about: object) -> None:
        super().__init__(":".join(str(part) for part in (seed, *about)))

    def text(self, length: int, alphabet: str = IMAGE_ALPHABET) -> str:
        """Return ``length`` characters of ``alphabet``."""
        return "".join(self.choices(alphabet, k=length))

    def digits(self, length: int) -> str:
        """Return a number of exactly ``length`` digits."""
        return self.choice("123456789") + self.text(length - 1, string.digits)

    def capitals(self, length: int) -> str:
        """Return ``length`` capital letters, as in a trade code."""
        return self.text(length, string.ascii_uppercase)

    def hex(self, length: int) -> str:
        """Return ``length`` lower-case hexadecimal digits."""
        return self.text(length, "0123456789abcdef")

    def token(self) -> str:
        """Return a trade token; its second character is no digit, so that it never names an error."""
        return self.text(1) + self.text(1, string.ascii_letters + "_-") + self.text(6)

    def uuid(self) -> str:
        """Return a UUID."""
        return str(uuid.UUID(int=self.getrandbits(128), version=4))

    def price(self, low: float, high: float) -> Decimal:
        """Return a price in whole cents, evenly distributed on a logarithmic scale."""
        amount = low * (high / low) ** self.random()
        return Decimal(str(amount)).quantize(Decimal("0.01"))

    def age(self, youngest: float, oldest: float) -> timedelta:
        """Return an age between two numbers of hours, in whole seconds."""
        return timedelta(seconds=round(3600 * self.uniform(youngest, oldest)))
