"""Keeps whether each shard is connected to Discord's gateway, and since when."""

from collections.abc import Iterable
from datetime import UTC

from bot.domain.health import ShardHealth
from bot.ports import Clock


class Shards:
    """The state of each shard of one client. All begin as not connected."""

    def __init__(self, ids: Iterable[int], *, clock: Clock) -> None:
        self._clock = clock
        began = clock.now()
        self._health = {shard: ShardHealth(shard, connected=False, since=began) for shard in ids}

    def health(self) -> tuple[ShardHealth, ...]:
        """Return the state of each shard, by number."""
        return tuple(self._health[shard] for shard in sorted(self._health))

    def set(self, shard: int, *, connected: bool) -> bool:
        """Note the state of a shard, and return whether it has changed."""
        before = self._health.get(shard)
        if before is not None and before.connected is connected:
            return False
        self._health[shard] = ShardHealth(shard, connected=connected, since=self._clock.now())
        return True


def disconnections(shards: Iterable[ShardHealth]) -> list[str]:
    """Return a line for each shard that is not connected."""
    return [
        f"shard {each.shard} is not connected to Discord since {each.since.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
        for each in shards
        if not each.connected
    ]
