"""The cache of many people: what each may hold, and that no one takes another's room."""

from bot.services.shared_cache import SharedCache
from tests.fakes.clock import FakeClock

ADA, BEN = "ada", "ben"
SHARE, TTL = 10, 60.0

Key = tuple[str, int]


def cache(clock: FakeClock) -> SharedCache[Key, int]:
    """Return an empty cache of entries that are as large as they say."""
    return SharedCache(
        100, TTL, clock.monotonic, share=SHARE, owner_of=lambda key, _: key[0], getsizeof=lambda size: size
    )


def test_share() -> None:
    """An owner's oldest entries make room for their new one, and no one else's do."""
    kept = cache(FakeClock())
    kept[BEN, 0] = 4
    for number in range(4):
        kept[ADA, number] = 4

    assert [*kept] == [(BEN, 0), (ADA, 2), (ADA, 3)]


def test_larger_entry() -> None:
    """One larger entry than the share stands alone."""
    kept = cache(FakeClock())
    kept[ADA, 0] = 4
    kept[ADA, 1] = SHARE + 1
    assert [*kept] == [(ADA, 1)]

    kept[ADA, 2] = 1
    assert [*kept] == [(ADA, 2)]


def test_same_key_again() -> None:
    """An entry that is replaced counts once, in its new size, as the newest."""
    kept = cache(FakeClock())
    kept[ADA, 0] = 3
    kept[ADA, 1] = 5
    kept[ADA, 1] = 6
    assert {*kept} == {(ADA, 0), (ADA, 1)}

    kept[ADA, 0] = 4
    kept[ADA, 2] = 2
    assert {*kept} == {(ADA, 0), (ADA, 2)}


def test_owners_are_forgotten() -> None:
    """Owners whose entries have all expired take no memory."""
    clock = FakeClock()
    kept = cache(clock)
    for number in range(50):
        kept[f"owner {number}", 0] = 1
        clock.advance(seconds=TTL / 4)

    assert len(kept._owned) < 12
