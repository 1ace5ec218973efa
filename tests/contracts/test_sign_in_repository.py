"""Each SignInRepository lets a sign-in, and a nonce, be used once."""

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
    """A sign-in is found by its digest until it expires, and cannot be completed afterwards."""
    await sign_ins.begin(ADAS)

    assert await sign_ins.get(DIGEST, at=NOW) == ADAS
    assert await sign_ins.get(DIGEST, at=LATER - MOMENT) == ADAS
    assert await sign_ins.get(DIGEST, at=LATER) is None
    assert await sign_ins.get(OTHER_DIGEST, at=NOW) is None
    assert await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=LATER) is None


async def test_begun_again(sign_ins: SignInRepository) -> None:
    """A user's new sign-in replaces their earlier one in that guild only."""
    others = (SignIn(OTHER_DIGEST, OTHER_GUILD, ADA, LATER), SignIn(THIRD_DIGEST, GUILD, BEN, LATER))
    for sign_in in (ADAS, *others):
        await sign_ins.begin(sign_in)
    new = replace(ADAS, digest="d" * 64, expires_at=LATER + SIGN_IN_WITHIN)

    await sign_ins.begin(new)

    assert await sign_ins.get(DIGEST, at=NOW) is None
    assert await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW) is None
    assert await sign_ins.get(new.digest, at=LATER) == new
    assert [await sign_ins.get(each.digest, at=NOW) for each in others] == list(others)


async def test_completed(sign_ins: SignInRepository, links: LinkRepository, audit: AuditRepository) -> None:
    """The link is set with an audit row of its user, and the sign-in is used up."""
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


async def test_nonce_again(sign_ins: SignInRepository, links: LinkRepository) -> None:
    """A nonce counts once over all guilds; a sign-in that came with a used one stays usable."""
    await sign_ins.begin(ADAS)
    await sign_ins.begin(SignIn(OTHER_DIGEST, OTHER_GUILD, BEN, LATER))
    await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW)

    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is None
    assert await links.of_user(OTHER_GUILD, BEN) is None
    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=OTHER_NONCE, at=NOW) is not None


async def test_account_taken(sign_ins: SignInRepository, links: LinkRepository, audit: AuditRepository) -> None:
    """If the account is another user's, the sign-in and the nonce are used up and nothing is linked."""
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
    """A link by staff is replaced by the user's own, with the usual cool-down."""
    await links.put(Link(GUILD, ADA, ADAS_ACCOUNT, LinkSource.STAFF, CLEO, NOW))
    await sign_ins.begin(ADAS)

    link = await sign_ins.complete(DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW)

    assert link is not None
    assert (link.source, link.resends_from) == (LinkSource.SIGN_IN, NOW + RELINK_COOL_DOWN)
    assert await links.of_steam_id(GUILD, ADAS_ACCOUNT) is None


async def test_race(sign_ins: SignInRepository, audit: AuditRepository) -> None:
    """Of concurrent completions of one sign-in one counts."""
    await sign_ins.begin(ADAS)

    answers = await asyncio.gather(
        *(sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=f"{NONCE}{n}", at=NOW) for n in range(30))
    )

    assert len([answer for answer in answers if answer is not None]) == 1
    assert len(await audit.newest(GUILD, limit=50)) == 1


async def test_purge(sign_ins: SignInRepository) -> None:
    """Expired sign-ins are deleted, and nonces once they are too old to be accepted."""
    await sign_ins.begin(replace(ADAS, expires_at=NOW + MOMENT))
    await sign_ins.begin(SignIn(OTHER_DIGEST, GUILD, BEN, LATER))
    await sign_ins.complete(DIGEST, steam_id=ADAS_ACCOUNT, nonce=NONCE, at=NOW)

    await sign_ins.purge(at=NOW + timedelta(minutes=5))

    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is None
    assert await sign_ins.get(OTHER_DIGEST, at=NOW) is not None

    await sign_ins.purge(at=NOW + timedelta(hours=1))

    assert await sign_ins.complete(OTHER_DIGEST, steam_id=BENS_ACCOUNT, nonce=NONCE, at=NOW) is not None
