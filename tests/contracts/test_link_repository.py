"""What every LinkRepository does."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.audit import AuditAction
from bot.domain.errors import SteamAccountTaken
from bot.domain.links import RELINK_COOL_DOWN, Link, LinkSource
from bot.domain.steam import SteamId
from bot.ports import AuditRepository, LinkRepository
from tests.contracts.engines import Repositories
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, LATER, NOW, OTHER_GUILD

ADAS = Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW)


async def test_nobody_linked(links: LinkRepository) -> None:
    assert await links.of_user(GUILD, ADA) is None
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None
    assert await links.remove(GUILD, ADA, by=ADA, at=NOW) is None


async def test_put(links: LinkRepository, audit: AuditRepository) -> None:
    """A link is found from both ends and written down."""
    assert await links.put(ADAS) == ADAS
    assert await links.of_user(GUILD, ADA) == ADAS
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) == ADAS

    (entry,) = await audit.newest(GUILD, limit=10)

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.LINK_SET, ADA, NOW)
    assert entry.subject == f"user:{ADA}"
    assert entry.detail == {"steam_id": str(ADAS_ACCOUNT), "source": "sign_in"}


async def test_greatest_account(links: LinkRepository) -> None:
    """The highest SteamID there can be comes back exactly."""
    greatest = SteamId.from_account_id(2**32 - 1)
    await links.put(replace(ADAS, steam_id=greatest))

    assert await links.of_steam_id(GUILD, greatest) == replace(ADAS, steam_id=greatest)


async def test_same_user_again(links: LinkRepository, audit: AuditRepository) -> None:
    """A user's second link takes the place of the first, whose account is free again."""
    second = Link(GUILD, ADA, BENS_ACCOUNT, LinkSource.STAFF, CLEO, LATER)
    await links.put(ADAS)

    kept = replace(second, resends_from=LATER + RELINK_COOL_DOWN)
    assert await links.put(second) == kept
    assert await links.of_user(GUILD, ADA) == kept
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None
    assert (await audit.newest(GUILD, limit=1))[0].detail == {
        "steam_id": str(BENS_ACCOUNT),
        "source": "staff",
        "instead_of": str(ADAS_ACCOUNT),
    }


async def test_same_link_again(links: LinkRepository) -> None:
    """A user's own link is in nobody's way."""
    await links.put(ADAS)

    assert await links.put(replace(ADAS, linked_at=LATER)) == replace(ADAS, linked_at=LATER)
    assert await links.of_user(GUILD, ADA) == replace(ADAS, linked_at=LATER)


async def test_account_taken(links: LinkRepository, audit: AuditRepository) -> None:
    """An account that is another user's stays theirs: it is said whose it is, and nothing changes."""
    bens = Link(GUILD, BEN, BENS_ACCOUNT, LinkSource.SIGN_IN, BEN, NOW)
    await links.put(ADAS)
    await links.put(bens)

    with pytest.raises(SteamAccountTaken) as taken:
        await links.put(replace(bens, steam_id=ADAS_ACCOUNT))

    assert taken.value.user_id == ADA
    assert await links.of_user(GUILD, BEN) == bens
    assert await links.of_user(GUILD, ADA) == ADAS
    assert len(await audit.newest(GUILD, limit=10)) == 2


async def test_race_for_an_account(links: LinkRepository) -> None:
    """Of many users who claim one account at once, one gets it and the others learn who."""
    claims = [Link(GUILD, user_id, ADAS_ACCOUNT, LinkSource.SIGN_IN, user_id, NOW) for user_id in range(1, 31)]

    answers = await asyncio.gather(*(links.put(claim) for claim in claims), return_exceptions=True)

    standing = await links.of_steam_id(GUILD, ADAS_ACCOUNT)
    assert standing is not None
    assert [answer for answer in answers if isinstance(answer, Link)] == [standing]
    assert {answer.user_id for answer in answers if isinstance(answer, SteamAccountTaken)} == {standing.user_id}


async def test_remove(links: LinkRepository, audit: AuditRepository) -> None:
    """A removed link is returned, gone from both ends, and written down with who did it."""
    await links.put(ADAS)

    assert await links.remove(GUILD, ADA, by=CLEO, at=LATER) == ADAS
    assert await links.of_user(GUILD, ADA) is None
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.LINK_REMOVED, CLEO, LATER)
    assert entry.subject == f"user:{ADA}"
    assert entry.detail["steam_id"] == str(ADAS_ACCOUNT)


async def test_actor_of_a_removal(repositories: Repositories) -> None:
    """A user who removed another user's link is not erased from that row; one who removed their own is."""
    links, audit, my_data = repositories.links, repositories.audit, repositories.my_data
    for user_id, account, by in ((ADA, ADAS_ACCOUNT, CLEO), (BEN, BENS_ACCOUNT, BEN)):
        await links.put(Link(GUILD, user_id, account, LinkSource.STAFF, user_id, NOW))
        await links.remove(GUILD, user_id, by=by, at=LATER)
    for user_id in (CLEO, BEN):
        await my_data.erase(GUILD, user_id, at=LATER)

    bens, adas = await audit.newest(GUILD, limit=9, action=AuditAction.LINK_REMOVED)

    assert (adas.actor_id, bens.actor_id) == (CLEO, None)
    assert repositories.is_sound()


async def test_other_guild(links: LinkRepository) -> None:
    """A link counts in its guild only, and the same account can be somebody else's in another."""
    await links.put(ADAS)

    assert await links.of_user(OTHER_GUILD, ADA) is None
    assert await links.of_steam_id(OTHER_GUILD, ADAS_ACCOUNT) is None
    assert await links.remove(OTHER_GUILD, ADA, by=ADA, at=NOW) is None
    elsewhere = Link(OTHER_GUILD, BEN, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW)
    assert await links.put(elsewhere) == elsewhere
    assert await links.of_user(GUILD, ADA) == ADAS


HOURS = RELINK_COOL_DOWN / 72
ADAS_OTHER, CLEOS_ACCOUNT = SteamId.from_account_id(21), SteamId.from_account_id(13)


async def linked(links: LinkRepository, user_id: int, account: SteamId, at: datetime) -> datetime | None:
    """Link somebody; return from when their own resends count."""
    link = await links.put(Link(GUILD, user_id, account, LinkSource.SIGN_IN, user_id, at))
    assert await links.of_user(GUILD, user_id) == link
    return link.resends_from


async def unlinked(links: LinkRepository, user_id: int, at: datetime) -> None:
    assert await links.remove(GUILD, user_id, by=user_id, at=at) is not None


async def test_first_link(links: LinkRepository) -> None:
    """Whoever links an account that was nobody's need not wait, whatever others do, here or in another guild."""
    await linked(links, BEN, BENS_ACCOUNT, NOW)
    await unlinked(links, BEN, NOW)
    await links.put(Link(OTHER_GUILD, BEN, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await links.put(Link(OTHER_GUILD, ADA, BENS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))

    assert await linked(links, ADA, ADAS_ACCOUNT, LATER) is None


async def test_other_account(links: LinkRepository) -> None:
    """Whoever has another account, or had one lately, waits with a new one."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    assert await linked(links, ADA, ADAS_OTHER, LATER) == LATER + RELINK_COOL_DOWN

    await linked(links, BEN, BENS_ACCOUNT, NOW)
    await unlinked(links, BEN, LATER)
    almost = LATER + RELINK_COOL_DOWN - timedelta(milliseconds=1)
    assert await linked(links, BEN, CLEOS_ACCOUNT, almost) == almost + RELINK_COOL_DOWN


async def test_account_of_another(links: LinkRepository) -> None:
    """Whoever links an account that was another's lately waits; afterwards nobody does."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await unlinked(links, ADA, LATER)
    assert await linked(links, BEN, ADAS_ACCOUNT, LATER + HOURS) == LATER + HOURS + RELINK_COOL_DOWN

    await linked(links, CLEO, CLEOS_ACCOUNT, NOW)
    await unlinked(links, CLEO, NOW)
    assert await linked(links, ADA, CLEOS_ACCOUNT, LATER + RELINK_COOL_DOWN) is None


async def test_replaced_account_of_another(links: LinkRepository) -> None:
    """An account that somebody changed for another is one that was theirs, too."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await linked(links, ADA, ADAS_OTHER, LATER)

    assert await linked(links, BEN, ADAS_ACCOUNT, LATER + HOURS) == LATER + HOURS + RELINK_COOL_DOWN


async def test_same_pair_again(links: LinkRepository) -> None:
    """Linking what was linked last starts no wait, and shortens or lengthens none that runs."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await unlinked(links, ADA, LATER)
    assert await linked(links, ADA, ADAS_ACCOUNT, LATER + HOURS) is None

    until = await linked(links, ADA, ADAS_OTHER, LATER + 2 * HOURS)
    assert until == LATER + 2 * HOURS + RELINK_COOL_DOWN
    assert await linked(links, ADA, ADAS_OTHER, LATER + 3 * HOURS) == until
    await unlinked(links, ADA, LATER + 4 * HOURS)
    assert await linked(links, ADA, ADAS_OTHER, LATER + 5 * HOURS) == until
    await unlinked(links, ADA, until)
    assert await linked(links, ADA, ADAS_OTHER, until) is None


async def test_there_and_back(links: LinkRepository) -> None:
    """Going back to an account from another one is a change of hands as any other."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await linked(links, ADA, ADAS_OTHER, LATER)
    assert await linked(links, ADA, ADAS_ACCOUNT, LATER + HOURS) == LATER + HOURS + RELINK_COOL_DOWN

    await linked(links, BEN, BENS_ACCOUNT, NOW)
    await unlinked(links, BEN, LATER)
    await linked(links, CLEO, BENS_ACCOUNT, LATER + HOURS)
    await unlinked(links, CLEO, LATER + 2 * HOURS)
    back = LATER + 3 * HOURS
    assert await linked(links, BEN, BENS_ACCOUNT, back) == back + RELINK_COOL_DOWN


async def test_same_moment(links: LinkRepository) -> None:
    """Where the clock cannot say which link was the last one, the answer is to wait."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await linked(links, ADA, ADAS_OTHER, NOW)
    await unlinked(links, ADA, NOW)

    assert await linked(links, ADA, ADAS_ACCOUNT, LATER) == LATER + RELINK_COOL_DOWN


async def test_refused_link_leaves_no_trace(links: LinkRepository) -> None:
    """A link that was refused makes nobody wait."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    with pytest.raises(SteamAccountTaken):
        await linked(links, BEN, ADAS_ACCOUNT, NOW)

    assert await linked(links, BEN, BENS_ACCOUNT, NOW) is None
