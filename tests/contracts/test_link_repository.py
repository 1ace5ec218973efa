"""Each LinkRepository keeps links one to one, with audit rows and the cool-down."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.audit import AuditAction
from bot.domain.errors import SteamAccountTaken
from bot.domain.links import RELINK_COOL_DOWN, HandOver, HandOverReason, Holder, Link, LinkSource
from bot.domain.steam import SteamId
from bot.ports import AuditRepository, LinkRepository
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, LATER, NOW, OTHER_GUILD

ADAS = Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW)


async def test_no_link(links: LinkRepository) -> None:
    assert await links.of_user(GUILD, ADA) is None
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None
    assert await links.remove(GUILD, ADA, by=ADA, at=NOW) is None


async def test_put(links: LinkRepository, audit: AuditRepository) -> None:
    """A link is found by user and by account, and has an audit row."""
    assert await links.put(ADAS) == ADAS
    assert await links.of_user(GUILD, ADA) == ADAS
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) == ADAS

    (entry,) = await audit.newest(GUILD, limit=10)

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.LINK_SET, ADA, NOW)
    assert entry.subject == f"user:{ADA}"
    assert entry.detail == {"steam_id": str(ADAS_ACCOUNT), "source": "sign_in"}


async def test_same_user_again(links: LinkRepository, audit: AuditRepository) -> None:
    """A user's second link replaces the first, whose account is free again."""
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


async def test_account_taken(links: LinkRepository, audit: AuditRepository) -> None:
    """An account of another user is refused with that user's id, and nothing changes."""
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
    """Of many concurrent claims of one account one wins; the others get the winner's id."""
    claims = [Link(GUILD, user_id, ADAS_ACCOUNT, LinkSource.SIGN_IN, user_id, NOW) for user_id in range(1, 31)]

    answers = await asyncio.gather(*(links.put(claim) for claim in claims), return_exceptions=True)

    standing = await links.of_steam_id(GUILD, ADAS_ACCOUNT)
    assert standing is not None
    assert [answer for answer in answers if isinstance(answer, Link)] == [standing]
    assert {answer.user_id for answer in answers if isinstance(answer, SteamAccountTaken)} == {standing.user_id}


async def test_remove(links: LinkRepository, audit: AuditRepository) -> None:
    """A removed link is returned and has an audit row with its actor."""
    await links.put(ADAS)

    assert await links.remove(GUILD, ADA, by=CLEO, at=LATER) == ADAS
    assert await links.of_user(GUILD, ADA) is None
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None

    entry = (await audit.newest(GUILD, limit=1))[0]

    assert (entry.action, entry.actor_id, entry.at) == (AuditAction.LINK_REMOVED, CLEO, LATER)
    assert entry.subject == f"user:{ADA}"
    assert entry.detail["steam_id"] == str(ADAS_ACCOUNT)


HOURS = RELINK_COOL_DOWN / 72
ADAS_OTHER, CLEOS_ACCOUNT = SteamId.from_account_id(21), SteamId.from_account_id(13)


async def linked(links: LinkRepository, user_id: int, account: SteamId, at: datetime) -> datetime | None:
    """Link a user; return from when their own resends count."""
    link = await links.put(Link(GUILD, user_id, account, LinkSource.SIGN_IN, user_id, at))
    assert await links.of_user(GUILD, user_id) == link
    return link.resends_from


async def unlinked(links: LinkRepository, user_id: int, at: datetime) -> None:
    assert await links.remove(GUILD, user_id, by=user_id, at=at) is not None


async def test_first_link(links: LinkRepository) -> None:
    """The first link of a user and an account has no cool-down, independent of others."""
    await linked(links, BEN, BENS_ACCOUNT, NOW)
    await unlinked(links, BEN, NOW)
    await links.put(Link(OTHER_GUILD, BEN, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await links.put(Link(OTHER_GUILD, ADA, BENS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))

    assert await linked(links, ADA, ADAS_ACCOUNT, LATER) is None


async def test_other_account(links: LinkRepository) -> None:
    """A user who has or had another account waits."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    assert await linked(links, ADA, ADAS_OTHER, LATER) == LATER + RELINK_COOL_DOWN

    await linked(links, BEN, BENS_ACCOUNT, NOW)
    await unlinked(links, BEN, LATER)
    almost = LATER + RELINK_COOL_DOWN - timedelta(milliseconds=1)
    assert await linked(links, BEN, CLEOS_ACCOUNT, almost) == almost + RELINK_COOL_DOWN


async def test_account_of_another(links: LinkRepository) -> None:
    """A user who links an account that was another user's waits, until the cool-down is over."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await unlinked(links, ADA, LATER)
    assert await linked(links, BEN, ADAS_ACCOUNT, LATER + HOURS) == LATER + HOURS + RELINK_COOL_DOWN

    await linked(links, CLEO, CLEOS_ACCOUNT, NOW)
    await unlinked(links, CLEO, NOW)
    assert await linked(links, ADA, CLEOS_ACCOUNT, LATER + RELINK_COOL_DOWN) is None
    await linked(links, ADA, ADAS_OTHER, LATER + RELINK_COOL_DOWN)
    late = LATER + RELINK_COOL_DOWN + HOURS
    assert await linked(links, CLEO, CLEOS_ACCOUNT, late) == late + RELINK_COOL_DOWN


async def test_same_pair_again(links: LinkRepository) -> None:
    """Linking the last account again starts no cool-down and leaves a running one as it is."""
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
    """Going back to an earlier account starts a cool-down."""
    await linked(links, ADA, ADAS_ACCOUNT, NOW)
    await linked(links, ADA, ADAS_OTHER, LATER)
    assert await linked(links, ADA, ADAS_ACCOUNT, LATER + HOURS) == LATER + HOURS + RELINK_COOL_DOWN

    await linked(links, BEN, BENS_ACCOUNT, NOW)
    await unlinked(links, BEN, LATER)
    await linked(links, CLEO, BENS_ACCOUNT, LATER + HOURS)
    await unlinked(links, CLEO, LATER + 2 * HOURS)
    back = LATER + 3 * HOURS
    assert await linked(links, BEN, BENS_ACCOUNT, back) == back + RELINK_COOL_DOWN


async def test_holders(links: LinkRepository) -> None:
    """An account's holders and former holders of 72 hours, with all their accounts, and those of the users named."""
    for user_id, account in ((ADA, ADAS_ACCOUNT), (BEN, BENS_ACCOUNT), (CLEO, CLEOS_ACCOUNT)):
        await linked(links, user_id, account, NOW)
    await links.put(Link(OTHER_GUILD, CLEO, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await linked(links, ADA, ADAS_OTHER, LATER)
    await linked(links, BEN, ADAS_ACCOUNT, LATER)
    over = LATER + RELINK_COOL_DOWN
    former = {Holder(ADA, ADAS_ACCOUNT), Holder(BEN, BENS_ACCOUNT)}
    standing = {Holder(BEN, ADAS_ACCOUNT), Holder(CLEO, CLEOS_ACCOUNT)}

    for at, found in (
        (over - HOURS, standing | former | {Holder(ADA, ADAS_OTHER)}),
        (over, standing),
    ):
        assert await links.holders(GUILD, ADAS_ACCOUNT, user_ids={CLEO}, at=at) == found


async def test_hand_overs(links: LinkRepository) -> None:
    """A change names each former holder whom it concerns, once: by another account, by the staff, by another user."""

    async def told(user_id: int, account: SteamId, at: datetime, by: int = CLEO) -> tuple[HandOver, ...]:
        return (await links.put(Link(GUILD, user_id, account, LinkSource.STAFF, by, at))).hand_overs

    async def ended(user_id: int, at: datetime, by: int) -> tuple[HandOver, ...]:
        removed = await links.remove(GUILD, user_id, by=by, at=at)
        assert removed is not None
        return removed.hand_overs

    assert await told(ADA, ADAS_ACCOUNT, NOW) == ()
    replaced = HandOver(GUILD, ADA, ADAS_ACCOUNT, HandOverReason.REPLACED, ADAS_OTHER)
    assert await told(ADA, ADAS_OTHER, LATER, by=ADA) == (replaced,)
    assert await told(ADA, ADAS_OTHER, LATER) == ()
    assert await ended(ADA, LATER, by=CLEO) == (HandOver(GUILD, ADA, ADAS_OTHER, HandOverReason.ENDED),)
    assert await told(BEN, ADAS_OTHER, LATER) == (HandOver(GUILD, ADA, ADAS_OTHER, HandOverReason.TAKEN),)
    assert await ended(BEN, LATER + HOURS, by=BEN) == ()
    assert await told(BEN, ADAS_OTHER, LATER + HOURS) == (), "told already"
    await ended(BEN, LATER + 2 * HOURS, by=BEN)
    taken = HandOver(GUILD, BEN, ADAS_OTHER, HandOverReason.TAKEN)
    assert await told(CLEO, ADAS_OTHER, LATER + 3 * HOURS) == (taken,)
    await ended(CLEO, LATER + 4 * HOURS, by=CLEO)
    assert await told(ADA, ADAS_OTHER, LATER + 4 * HOURS + RELINK_COOL_DOWN) == ()
