"""What is known of each shard's connection."""

import pytest

from bot.domain.health import ShardHealth
from bot.shards import Shards, disconnections, troubles
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


@pytest.mark.parametrize(
    ("down", "lines"),
    [
        ((), []),
        ((2, 5), [f"shard {shard} is not connected to Discord since 2026-05-14 12:00:00Z" for shard in (2, 5)]),
        (
            (0, 1, 2, 4, 6, 7),
            ["6 of 8 shards are not connected to Discord: 0-2, 4, 6-7; the first since 2026-05-14 12:00:00Z"],
        ),
    ],
)
def test_told(down: tuple[int, ...], lines: list[str]):
    """A few shards are told one by one, many in one line, and a reason that they share once."""
    shards = Shards(range(8), clock=FakeClock())
    for shard in range(8):
        shards.set(shard, connected=shard not in down, trouble="code 1006" if shard in down else "")

    assert disconnections(shards.health()) == lines
    assert troubles(shards.health()) == ("code 1006" if down else "")
