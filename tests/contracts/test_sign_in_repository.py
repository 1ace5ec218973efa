"""What every SignInRepository does."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import AuditAction
from bot.domain.errors import SteamAccountTaken
from bot.domain.links import RELINK_COOL_DOWN, SIGN_IN_WITHIN, Link, LinkSource, SignIn
from bot.ports import AuditRepository, LinkRepository, SignInRepository
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, BENS_ACCOUNT, CLEO, GUILD, LATER, NOW, OTHER_GUILD

MOMENT = timedelta(milliseconds=1)
DIGEST, OTHER_DIGEST, THIRD_DIGEST = "a" * 64, "b" * 64, "c" * 64
ADAS = SignIn(DIGEST, GUILD, ADA, LATER)
NONCE, OTHER_NONCE = "2026-03-29T00:59:59Zone", "2026-03-29T00:59:59Ztwo"


async def test_begun(sign_ins: SignInRepository) -> None:
    """A sign-in is found until it is over, by its digest only."""
    await sign_ins.begin(ADAS)

    assert await sign_ins.get(DIGEST, at=NOW) == ADAS
    assert await sign_ins.get(DIGEST, at=LATER - MOMENT) == ADAS
    assert await sign_ins.get(DIGEST, at=LATER) is None
    assert await sign_ins.get(OTHER_DIGEST, at=NOW) is None


async def test_begun_anew(sign_ins: SignInRepository) -> None:
    """A user's new sign-in ends their earlier one in that guild, and nobody else's."""
    others = (SignIn(OTHER_DIGEST, OTHER_GUILD, ADA, LATER), SignIn(THIRD_DIGEST, GUILD, BEN, LATER))
    for sign_in in (ADAS, *others):
        await sign_ins.begin(sign_in)
    anew = replace(ADAS, digest="d" * 64, expires_at=LATER + SIGN_IN_WITHIN)

    await sign_ins.begin(anew)

    assert await sign_ins.get(DIGEST, at=NOW) is None
    assert await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW) is None
    assert await sign_ins.get(anew.digest, at=LATER) == anew
    assert [await sign_ins.get(each.digest, at=NOW) for each in others] == list(others)


async def test_completed(sign_ins: SignInRepository, links: LinkRepository, audit: AuditRepository) -> None:
    """The link is set and written down as the user's own deed, and the sign-in is used up."""
    await sign_ins.begin(ADAS)

    link = await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW)

    assert link == Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.SIGN_IN, ADA, NOW)
    assert await links.of_user(GUILD, ADA) == link
    (row,) = await audit.newest(GUILD, limit=5)
    assert (row.action, row.actor_id, row.at) == (AuditAction.LINK_SET, ADA, NOW)
    assert row.detail == {"steam_id": str(ADAS_ACCOUNT), "source": "sign_in"}
    assert await sign_ins.get(DIGEST, at=NOW) is None
    assert await sign_ins.complete(DIGEST, steam_id=BENS_ACCOUNT, nonce=OTHER_NONCE, at=NOW) is None
    assert await links.of_user(GUILD, ADA) == link


async def test_too_late(sign_ins: SignInRepository, links: LinkRepository) -> None:
    """One that is over links nobody."""
    await sign_ins.begin(ADAS)

    assert await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=LATER) is None
    assert await links.of_user(GUILD, ADA) is None


async def test_nonce_again(sign_ins: SignInRepository, links: LinkRepository) -> None:
    """An answer of Steam's counts once, over all guilds; the sign-in it came back with stays usable."""
    await sign_ins.begin(ADAS)
    await sign_ins.begin(SignIn(OTHER_DIGEST, OTHER_GUILD, BEN, LATER))
    await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW)

    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is None
    assert await links.of_user(OTHER_GUILD, BEN) is None
    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=OTHER_NONCE, at=NOW) is not None


async def test_account_taken(sign_ins: SignInRepository, links: LinkRepository, audit: AuditRepository) -> None:
    """An account that is another's stays theirs; the sign-in and Steam's answer are used up."""
    await links.put(Link(GUILD, BEN, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await sign_ins.begin(ADAS)

    with pytest.raises(SteamAccountTaken) as taken:
        await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW)

    assert taken.value.user_id == BEN
    assert await sign_ins.get(DIGEST, at=NOW) is None
    assert await links.of_user(GUILD, ADA) is None
    assert len(await audit.newest(GUILD, limit=5)) == 1
    await sign_ins.begin(ADAS)
    assert await sign_ins.complete(DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is None


async def test_replaced(sign_ins: SignInRepository, links: LinkRepository) -> None:
    """A link that was set by staff is replaced by the user's own, under the rules of any change."""
    await links.put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await sign_ins.begin(ADAS)

    link = await sign_ins.complete(DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW)

    assert link is not None
    assert (link.source, link.resends_from) == (LinkSource.SIGN_IN, NOW + RELINK_COOL_DOWN)
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None


async def test_race_of_one(sign_ins: SignInRepository, audit: AuditRepository) -> None:
    """Of many completions of one sign-in at once, one counts."""
    await sign_ins.begin(ADAS)

    answers = await asyncio.gather(
        *(sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=f"{NONCE}{n}", at=NOW) for n in range(30))
    )

    assert len([answer for answer in answers if answer is not None]) == 1
    assert len(await audit.newest(GUILD, limit=50)) == 1


async def test_race_of_many(sign_ins: SignInRepository, links: LinkRepository) -> None:
    """Of many users who claim one account at once, one gets it and the others learn who."""
    users = range(1, 31)
    for user in users:
        await sign_ins.begin(SignIn(f"{user:064}", GUILD, user, LATER))

    answers = await asyncio.gather(
        *(sign_ins.complete(f"{user:064}", steam_id=ADAS_ACCOUNT, nonce=f"{NONCE}{user}", at=NOW) for user in users),
        return_exceptions=True,
    )

    standing = await links.of_steam_id(GUILD, ADAS_ACCOUNT)
    assert standing is not None
    assert [answer for answer in answers if isinstance(answer, Link)] == [standing]
    assert {answer.user_id for answer in answers if isinstance(answer, SteamAccountTaken)} == {standing.user_id}


async def test_purge(sign_ins: SignInRepository) -> None:
    """What is over is forgotten, and a nonce once it is too old to be accepted; what is not, stays."""
    await sign_ins.begin(replace(ADAS, expires_at=NOW + MOMENT))
    await sign_ins.begin(SignIn(OTHER_DIGEST, GUILD, BEN, LATER))
    await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW)

    await sign_ins.purge(at=NOW + timedelta(minutes=5))

    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is None
    assert await sign_ins.get(OTHER_DIGEST, at=NOW) is not None

    await sign_ins.purge(at=NOW + timedelta(hours=1))

    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is not None
