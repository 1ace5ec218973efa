"""Keeps what was worked out of an object for as long as that is in memory."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_S = TypeVar("_S")
_V = TypeVar("_V")


class Derived(Generic[_S, _V]):
    """A value for each source, by its identity: to compare an inventory takes longer than most work on it."""

    def __init__(self) -> None:
        self._kept: dict[int, _V] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, source: _S) -> _V | None:
        """Return what is kept of a source."""
        return self._kept.get(id(source))

    def keep(self, source: _S, value: _V) -> _V:
        """Keep a value until its source goes; return it."""
        if id(source) not in self._kept:
            weakref.finalize(source, self._kept.pop, id(source), None).atexit = False
        self._kept[id(source)] = value
        return value

    def of(self, source: _S, work_out: Callable[[_S], _V]) -> _V:
        """Return what is kept of a source, worked out now where nothing is."""
        kept = self._kept.get(id(source))
        return self.keep(source, work_out(source)) if kept is None else kept
