"""What is known of each shard's connection."""

from bot.domain.health import ShardHealth
from bot.shards import Shards
from tests.fakes.clock import FakeClock


def test_since():
    """Each shard has its own state and the time of its last change; the same news again changes nothing."""
    clock = FakeClock()
    began = clock.now()
    shards = Shards([1, 0], clock=clock)
    clock.advance(seconds=5)
    connected = clock.now()

    assert shards.set(1, connected=True)
    clock.advance(seconds=5)
    assert not shards.set(1, connected=True)
    assert shards.health() == (
        ShardHealth(0, connected=False, since=began),
        ShardHealth(1, connected=True, since=connected),
    )
