"""Each WatchRepository keeps one watch for a user and a trade, and gives out the one read longest ago first."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.failures import ProviderName
from bot.domain.watches import KEPT_FOR, Watch
from bot.ports.watches import WatchRepository
from tests.contracts.samples import ADA, BEN, GUILD, LATER, NOW, OTHER_GUILD, watch

MOMENT = timedelta(milliseconds=1)


async def added(watches: WatchRepository, draft: Watch) -> Watch:
    kept = await watches.add(draft, at_most=9)
    assert kept is not None
    return kept[0]


async def test_added_once(watches: WatchRepository) -> None:
    """A second watch of the same trade is the first one; another user, guild, provider or trade has its own."""
    first = await added(watches, watch())
    others = [
        watch(user_id=BEN),
        watch(guild_id=OTHER_GUILD),
        watch(trade_id="678432"),
        replace(watch(), provider=ProviderName.MANNCO),
    ]

    assert await watches.add(watch(at=LATER), at_most=9) == (first, False)
    assert first == replace(watch(), id=first.id)
    assert (await added(watches, replace(watch(trade_id="678433"), language="pt-BR"))).language == "pt-BR"
    assert len({first.id, *[(await added(watches, other)).id for other in others]}) == 5
    assert {each.trade_id for each in await watches.of_user(GUILD, ADA)} == {"678431", "678432", "678433"}
    assert await watches.get(first.id) == first


async def test_at_most(watches: WatchRepository) -> None:
    """A user has so many in a guild; the ones they have can still be asked for."""
    own = [await watches.add(watch(trade_id=str(number)), at_most=2) for number in range(3)]

    assert own[2] is None
    assert await watches.add(watch(trade_id="1"), at_most=2) == (own[1][0] if own[1] else None, False)
    assert await watches.add(watch(user_id=BEN), at_most=2) is not None


async def test_oldest_reading_first(watches: WatchRepository) -> None:
    """What was never read comes first, then what was read longest ago; what has expired does not come."""
    one, two, three = [await added(watches, watch(trade_id=str(number))) for number in (1, 2, 3)]
    await added(watches, replace(watch(), provider=ProviderName.MANNCO))
    await watches.mark_read([one.id, three.id], at=LATER)
    await watches.mark_read([three.id], at=LATER - MOMENT)

    of_provider = await watches.of_provider(ProviderName.SKINSBACK, at=LATER)

    assert [each.id for each in of_provider] == [two.id, three.id, one.id]
    assert of_provider[2].read_at == LATER
    assert await watches.of_provider(ProviderName.SKINSBACK, at=NOW + KEPT_FOR) == ()


async def test_told(watches: WatchRepository) -> None:
    """What the user knows is kept with its time, and is part of what makes the next message another one."""
    kept = await added(watches, watch())
    await watches.mark_notified(kept.id, "completed", at=LATER)

    later = await watches.get(kept.id)
    assert later == replace(kept, standing="completed", notified_at=LATER)
    assert len({kept.nonce("completed"), kept.nonce("failed"), later.nonce("completed")}) == 3
    assert kept.nonce("completed") == replace(kept, read_at=LATER).nonce("completed")


async def test_removed(watches: WatchRepository) -> None:
    """A user removes their own only, and once; an expired one is found at its end."""
    mine, bens = await added(watches, watch()), await added(watches, watch(user_id=BEN, at=LATER))

    assert await watches.remove(mine.id, of=BEN) is None
    assert await watches.expired(at=NOW + KEPT_FOR - MOMENT) == ()
    assert await watches.expired(at=NOW + KEPT_FOR) == (mine,)
    assert await watches.remove(mine.id) == mine
    assert await watches.remove(mine.id) is None
    assert await watches.remove(bens.id, of=BEN) == bens
    assert await watches.get(bens.id) is None
