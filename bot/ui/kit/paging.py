"""Page arithmetic."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def page_count(items: int, size: int) -> int:
    """Return how many pages of ``size`` hold ``items``; nothing still has one page, which says so."""
    return max(1, -(-items // size))


def page_of(items: Sequence[T], index: int, size: int) -> Sequence[T]:
    """Return the items of page ``index``, counted from 0."""
    return items[index * size : (index + 1) * size]


def clamped(index: int, pages: int) -> int:
    """Return the nearest page there is."""
    return min(max(index, 0), pages - 1)
