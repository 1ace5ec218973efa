"""A cache of many people in which none takes the others' room."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from cachetools import TTLCache
from typing_extensions import override

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class SharedCache(TTLCache[_K, _V, float]):
    """At most ``share`` for one owner, or one larger entry: their own oldest ones go first."""

    def __init__(
        self,
        maxsize: int,
        ttl: float,
        timer: Callable[[], float],
        *,
        share: int,
        owner_of: Callable[[_K, _V], Hashable],
        getsizeof: Callable[[_V], int] | None = None,
    ) -> None:
        super().__init__(maxsize, ttl, timer, getsizeof)
        self._share = share
        self._owner_of = owner_of
        self._owned: dict[Hashable, dict[_K, float]] = {}
        """The size of each owner's entries, oldest first. One that is gone counts until it is the oldest: looking for
        such ones at each new entry took longer than all the rest."""

    @override
    def __setitem__(self, key: _K, value: _V, *args: Any, **kwargs: Any) -> None:
        owner, size = self._owner_of(key, value), self.getsizeof(value)
        owned = self._owned.setdefault(owner, {})
        owned.pop(key, None)
        held = sum(owned.values()) + size
        while owned and held > self._share:
            oldest = next(iter(owned))
            held -= owned.pop(oldest)
            self.pop(oldest, None)
        super().__setitem__(key, value, *args, **kwargs)
        owned[key] = size
        if len(self._owned) > 2 * len(self) + 1:
            self._owned = {one: keys for one, keys in self._owned.items() if any(each in self for each in keys)}
