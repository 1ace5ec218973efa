"""Reads the query of AssetPay's inventory endpoints as strictly as it is documented, and carries it out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from bot.domain.inventory import Sort
from bot.domain.steam import Game

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.demo.items import WorldItem

_GAMES = {"730": Game.CS2, "252490": Game.RUST}
_FLAGS = {"true": True, "false": False}
_UNPAGED = "-1"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class QueryForm:
    """How a dialect spells the query. ``page_size`` is a parameter's name, ``max_search`` in characters."""

    page_size: str
    sorts: Mapping[str, Sort]
    can_be_unpaged: bool
    max_search: int | None


CURRENT = QueryForm(
    page_size="limit",
    sorts={
        "relevance": Sort.RELEVANCE,
        "priceAsc": Sort.PRICE_ASC,
        "priceDesc": Sort.PRICE_DESC,
        "nameAsc": Sort.NAME_ASC,
        "nameDesc": Sort.NAME_DESC,
    },
    can_be_unpaged=True,
    max_search=100,
)
"""Seeds 000 and 001."""

LEGACY = QueryForm(
    page_size="perPage",
    sorts={sort.value: sort for sort in Sort},
    can_be_unpaged=False,
    max_search=None,
)
"""Seed 002. Only ``price_asc`` is documented; the other words are inferred from it."""


class Invalid(Exception):
    """The query breaks the documentation: ``fields`` names each parameter with the reason."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class InventoryRequest:
    """What is asked for. ``page_size`` is None where paging is off."""

    game: Game
    refresh: bool
    search: str
    sort: Sort
    min_price: Decimal | None
    max_price: Decimal | None
    page: int
    page_size: int | None

    def select(self, items: Iterable[WorldItem]) -> tuple[list[WorldItem], int]:
        """Return the items of the page asked for, and how many match on all pages."""
        kept = [item for item in items if self._matches(item)]
        match self.sort:
            case Sort.PRICE_ASC | Sort.PRICE_DESC:
                sign = -1 if self.sort is Sort.PRICE_DESC else 1
                kept.sort(key=lambda item: (item.offer is None, sign * (item.offer or 0)))  # no offer comes last
            case Sort.NAME_ASC | Sort.NAME_DESC:
                kept.sort(key=lambda item: item.name.casefold(), reverse=self.sort is Sort.NAME_DESC)
            case Sort.RELEVANCE:
                pass
        if self.page_size is None:
            return kept, len(kept)
        start = (self.page - 1) * self.page_size
        return kept[start : start + self.page_size], len(kept)

    def _matches(self, item: WorldItem) -> bool:
        if self.search.casefold() not in item.market_hash_name.casefold():
            return False
        if self.min_price is None and self.max_price is None:
            return True
        return (
            item.offer is not None
            and (self.min_price is None or item.offer >= self.min_price)
            and (self.max_price is None or item.offer <= self.max_price)
        )


def read(pairs: Iterable[tuple[str, str]], form: QueryForm, *, also: frozenset[str] = frozenset()) -> InventoryRequest:
    """Return what the query asks for; Invalid for an unknown, repeated or unreadable parameter not in ``also``."""
    reader = _Reader(pairs)
    request = InventoryRequest(
        game=reader.word("game", _GAMES, Game.CS2),
        refresh=reader.word("refresh", _FLAGS, default=False),
        search=reader.text("search", form.max_search),
        sort=reader.word("sort", form.sorts, Sort.RELEVANCE),
        min_price=reader.price("minPrice"),
        max_price=reader.price("maxPrice"),
        page=reader.count("page", default=1),
        page_size=None if reader.is_unpaged(form) else reader.count(form.page_size, default=50),
    )
    reader.finish(also)
    return request


class _Reader:
    """Reads parameter by parameter and collects every mistake before it complains."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        self._mistakes: dict[str, str] = {}
        for name, value in pairs:
            if name in self._values:
                self._mistakes[name] = "must be given once"
            self._values[name] = value
        self._known: set[str] = set()

    def word(self, name: str, words: Mapping[str, _T], default: _T) -> _T:
        """Return what the parameter's word stands for."""
        value = self._take(name)
        if value is None:
            return default
        if value not in words:
            self._mistakes[name] = f"must be one of {', '.join(words)}"
            return default
        return words[value]

    def text(self, name: str, longest: int | None) -> str:
        """Return a text."""
        value = self._take(name) or ""
        if longest is not None and len(value) > longest:
            self._mistakes[name] = f"must be at most {longest} characters long"
        return value

    def price(self, name: str) -> Decimal | None:
        """Return an amount in plain decimal notation."""
        value = self._take(name)
        if value is None:
            return None
        if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII) is None:
            self._mistakes[name] = "must be a number"
            return None
        return Decimal(value)

    def count(self, name: str, *, default: int) -> int:
        """Return a number from 1 up."""
        value = self._take(name)
        if value is None:
            return default
        if re.fullmatch(r"[1-9]\d{0,8}", value, re.ASCII) is None:
            self._mistakes[name] = "must be a positive number"
            return default
        return int(value)

    def is_unpaged(self, form: QueryForm) -> bool:
        """Say whether paging is turned off, where the dialect can do that."""
        return form.can_be_unpaged and self._take(form.page_size) == _UNPAGED

    def finish(self, also: frozenset[str]) -> None:
        """Complain about everything that was wrong, and about what nobody asked for."""
        for name in self._values.keys() - self._known - also:
            self._mistakes[name] = "is not a known parameter"
        if self._mistakes:
            raise Invalid(self._mistakes)

    def _take(self, name: str) -> str | None:
        self._known.add(name)
        return self._values.get(name)
