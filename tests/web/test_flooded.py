"""What one member, or a crowd, does with sign-ins costs no other member theirs."""

import asyncio
from collections import Counter

from bot.demo.providers import faults
from bot.domain.errors import TooOften
from bot.services.sign_in import CALLS, MAX_REMEMBERED, PAGES_AT_ONCE, STARTS
from tests.support.sign_in_site import ALEX, NAMES, SignInSite

CROWD = range(1_000, 1_000 + MAX_REMEMBERED + 20)


async def test_starts_of_a_crowd(site: SignInSite):
    """More sign-ins than SkinDesk remembers leave mine as it was; the last ones work without names."""
    mine = await site.begin()
    started = [
        await asyncio.gather(*(site.begin(user) for user in CROWD[at : at + 500])) for at in range(0, len(CROWD), 500)
    ]

    browser, last = site.browser(), started[-1][-1]
    assert NAMES.member in (await browser.ask("GET", mine.address.reveal()))[1]
    status, text, _ = await browser.ask("GET", last.address.reveal())
    assert (status, NAMES.member in text, str(CROWD[-1]) in text) == (200, False, True)
    assert (await browser.come_back(*await site.at_steam(browser, last, site.world.customer)))[0] == 200
    assert await site.link_of(CROWD[-1]) is not None


async def test_starts_of_one_member(site: SignInSite):
    """A member starts some sign-ins an hour; another one is refused, and the last one still works."""
    started = [await site.begin() for _ in range(STARTS)]
    refused = await asyncio.gather(*(site.begin() for _ in range(1_020)), return_exceptions=True)

    assert {type(error) for error in refused} == {TooOften}
    browser = site.browser()
    assert NAMES.member in (await browser.ask("GET", started[-1].address.reveal()))[1]
    await site.begin(ALEX)
    site.clock.advance(hours=1)
    await site.begin()


async def test_calls_of_one_member_at_once(site: SignInSite):
    """One member has one call to Steam at a time, whatever else they send: there is one for the next member."""
    mine, browser = await site.begin(), site.browser()
    gate = faults.Gate()
    site.steam.check_faults.append(gate)
    return_to, given = await site.at_steam(browser, mine, site.world.customer)
    waiting = asyncio.create_task(browser.come_back(return_to, given))
    await gate.reached.wait()

    same = [asyncio.create_task(browser.come_back(return_to, given)) for _ in range(2 * PAGES_AT_ONCE)]
    more = [site.steam.assertion(site.world.customer.steam_id, return_to=return_to) for _ in range(30)]
    answers = await asyncio.gather(*(browser.come_back(return_to, list(each.items())) for each in more))
    other = site.browser()
    alexs = await other.come_back(*await site.at_steam(other, await site.begin(ALEX), site.world.other_customer))

    assert {status for status, _ in answers} == {503}
    assert alexs[0] == 200
    assert site.asked_steam == 2
    gate.open()
    assert (await waiting)[0] == 200
    assert Counter(status for status, _ in await asyncio.gather(*same))[200] <= PAGES_AT_ONCE


async def test_calls_of_one_member_in_turn(site: SignInSite):
    """Answers that Steam does not confirm cost some calls an hour, not Steam's patience with this desk."""
    mine, browser = await site.begin(), site.browser()
    return_to, _ = await site.at_steam(browser, mine, site.world.customer)

    statuses = []
    for _ in range(CALLS + 5):
        forged = {**site.steam.assertion(site.world.customer.steam_id, return_to=return_to), "openid.sig": "Zm9yZ2Vk"}
        statuses.append((await browser.come_back(return_to, list(forged.items())))[0])

    assert statuses == [400] * CALLS + [429] * 5
    assert site.asked_steam == CALLS
    assert await site.link_of() is None
