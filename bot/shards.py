"""Keeps whether each shard is connected to Discord's gateway, since when, and why not."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC

from bot.domain.health import ShardHealth
from bot.ports import Clock

_MOST_LINES = 3
"""How many shards are named one by one, at most."""


class Shards:
    """The state of each shard of one client. All begin as not connected."""

    def __init__(self, ids: Collection[int], *, clock: Clock) -> None:
        self._clock = clock
        self._health: dict[int, ShardHealth] = {}
        self.expect(ids)

    def expect(self, ids: Collection[int]) -> None:
        """Keep the state of exactly these shards from now on."""
        now = self._clock.now()
        self._health = {
            shard: self._health.get(shard, ShardHealth(shard, connected=False, since=now)) for shard in sorted(ids)
        }

    def health(self) -> tuple[ShardHealth, ...]:
        """Return the state of each shard, by number."""
        return tuple(self._health.values())

    def set(self, shard: int, *, connected: bool, trouble: str = "") -> bool:
        """Note the state of a shard, and return whether it has changed."""
        before = self._health[shard]
        if before.connected is connected:
            self._health[shard] = replace(before, trouble=trouble)
            return False
        self._health[shard] = ShardHealth(shard, connected, self._clock.now(), trouble)
        return True


def disconnections(shards: Collection[ShardHealth]) -> list[str]:
    """Return a line for each shard that is not connected, or one for all if they are many."""
    down = [each for each in shards if not each.connected]
    if len(down) <= _MOST_LINES:
        return [f"shard {each.shard} is not connected to Discord since {_since(each)}" for each in down]
    first = min(down, key=lambda each: each.since)
    numbers = ", ".join(_ranges([each.shard for each in down]))
    return [
        f"{len(down)} of {len(shards)} shards are not connected to Discord: {numbers}; the first since {_since(first)}"
    ]


def progress(shards: Collection[ShardHealth]) -> str:
    """Return how many shards are connected, of how many."""
    return f"({sum(each.connected for each in shards)} of {len(shards)} shards)"


def troubles(shards: Collection[ShardHealth]) -> str:
    """Return why shards are not connected, each reason once."""
    return "; ".join(dict.fromkeys(each.trouble for each in shards if each.trouble))


def _since(health: ShardHealth) -> str:
    return f"{health.since.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _ranges(numbers: list[int]) -> Iterator[str]:
    """Put ascending numbers as people do: 0-3, 5."""
    first = last = numbers[0]
    for number in [*numbers[1:], -1]:
        if number != last + 1:
            yield str(first) if first == last else f"{first}-{last}"
            first = number
        last = number
