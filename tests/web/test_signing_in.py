"""Signing in at Steam: the link, the pages, and failures of Steam, SkinDesk and users."""

import asyncio
import gzip
from pathlib import Path

import pytest

from bot.demo.providers import faults
from bot.demo.providers.faults import Fault
from bot.domain.audit import AuditAction
from bot.domain.links import RELINK_COOL_DOWN, LinkSource
from bot.domain.sign_in import OPENID_NS, SignInNames
from bot.services import sign_in
from tests.support.hostile_text import SPELT_OUT, SPELT_OUT_HIDDEN
from tests.support.sign_in_site import ALEX, GUILD, MIA, SignInSite, token_of

HOSTILE_HTML = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</strong></p><h1>Steam</h1><a href='https://evil.example'>sign in here</a>",
    "$member $style ${action} $$ &lt;b&gt; &#60;script&#62;",
    "Mia\nis you. Go on.\r\nSet-Cookie: a=b",
)


async def test_signed_in(site: SignInSite):
    """The user is linked; page, audit log and Discord say so."""
    started, browser = await site.begin(), site.browser()
    customer = site.world.customer.steam_id

    status, text = await browser.come_back(*await site.at_steam(browser, started, site.world.customer))

    assert status == 200
    assert "Your Steam account is linked" in text
    assert str(customer) in text
    link = await site.link_of()
    assert link is not None
    assert (link.steam_id, link.source, link.linked_by) == (customer, LinkSource.SIGN_IN, MIA)
    await site.settled()
    assert site.linked == [link]
    (row,) = await site.repositories.audit.newest(GUILD, limit=5)
    assert (row.action, row.actor_id, row.subject) == (AuditAction.LINK_SET, MIA, f"user:{MIA}")
    assert row.detail == {"steam_id": str(customer), "source": "sign_in"}


async def test_page_names_whom_it_links(site: SignInSite):
    """The page names the Discord user and warns; opening it, as previews do, changes nothing."""
    started, browser = await site.begin(), site.browser()
    for method in ("GET", "HEAD", "GET"):
        status, text, _ = await browser.ask(method, started.address.reveal())
        assert status == 200
        if method == "GET":
            assert all(name in text for name in ("Mia", "@mia_92", "Skin Market", "Only go on if that is you"))

    assert (await browser.come_back(*await site.at_steam(browser, started, site.world.customer)))[0] == 200


@pytest.mark.parametrize("name", [*HOSTILE_HTML, SPELT_OUT, SPELT_OUT_HIDDEN, "W" * 500, "\u202e" * 40])
async def test_hostile_names(site: SignInSite, name: str):
    """Names are shown as plain text."""
    names = SignInNames(member=name, user=name, guild=name)
    started = await site.begin(names=names)

    status, text, _ = await site.browser().ask("GET", started.address.reveal())

    assert status == 200
    assert text.count("<script") == text.count("<img") == text.count("<a ") == 0
    assert not any(character in text for character in "\u202e\u200b\u2066\x00")


async def test_two_servers_in_one_browser(site: SignInSite):
    """Two sign-ins in one browser both work."""
    browser = site.browser()
    here, there = await site.begin(), await site.begin(guild_id=GUILD + 1)
    back_here = await site.at_steam(browser, here, site.world.customer)
    back_there = await site.at_steam(browser, there, site.world.customer)

    assert (await browser.come_back(*back_here))[0] == 200
    assert (await browser.come_back(*back_there))[0] == 200


async def test_account_of_another_member(site: SignInSite):
    """An account belongs to one member; the page does not say to which, and the sign-in ends."""
    browser = site.browser()
    await browser.come_back(*await site.at_steam(browser, await site.begin(ALEX), site.world.customer))
    started = await site.begin()

    status, text = await browser.come_back(*await site.at_steam(browser, started, site.world.customer))

    assert (status, "another member of that server" in text) == (409, True)
    assert "<code>/link set</code>" in text, "what the staff can do"
    assert str(ALEX) not in text
    assert await site.link_of() is None
    assert (await browser.ask("GET", started.address.reveal()))[0] == 410


async def test_other_account_than_before(site: SignInSite):
    """After a change of accounts the page says from when resends are possible."""
    browser = site.browser()
    await browser.come_back(*await site.at_steam(browser, await site.begin(), site.world.customer))
    _, text = await browser.come_back(*await site.at_steam(browser, await site.begin(), site.world.other_customer))

    assert "resends of your own trades from this time on: 2026-05-17, 12:00 UTC" in text
    link = await site.link_of()
    assert link is not None
    assert link.resends_from == site.clock.now() + RELINK_COOL_DOWN


async def test_cancelled(site: SignInSite):
    """A user who cancels at Steam can try again."""
    started, browser = await site.begin(), site.browser()
    return_to, given = await site.at_steam(browser, started, site.world.customer)

    status, text = await browser.come_back(return_to, [("openid.ns", OPENID_NS), ("openid.mode", "cancel")])

    assert (status, "Nothing was linked" in text) == (200, True)
    assert f'href="/link/{token_of(started)}"' in text
    assert (await browser.come_back(return_to, given))[0] == 200


FAULTS: dict[str, Fault] = {
    "cut off": faults.lost_before,
    "half an answer": faults.half,
    "an error": faults.answer(500, b"is_valid:true\n", content_type="text/plain"),
    "a redirect": faults.redirect("http://127.0.0.1:1/"),
    "nothing": faults.answer(200, b"", content_type="text/plain"),
    "yes without ns": faults.answer(200, b"is_valid:true\n", content_type="text/plain"),
    "yes in another version": faults.answer(200, b"ns:http://openid.net/signon/1.1\nis_valid:true\n"),
    "yes and no": faults.answer(200, f"ns:{OPENID_NS}\nis_valid:true\nis_valid:false\n".encode()),
    "a quoted yes": faults.answer(200, f"ns:{OPENID_NS}\nx:\tis_valid:true\n".encode()),
    "too much": faults.oversized(100_000),
    "a bomb": faults.answer(200, gzip.compress(b"a:b\n" * 10**6), headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_steam_without_a_clear_answer(site: SignInSite, fault: Fault):
    """An unclear answer of Steam links no one, and the address still works."""
    started, browser = await site.begin(), site.browser()
    site.steam.check_faults.append(fault)

    return_to, given = await site.at_steam(browser, started, site.world.customer)
    status, text = await browser.come_back(return_to, given)

    assert (status, "your address still works" in text) == (503, True)
    assert await site.link_of() is None
    again = await site.at_steam(browser, started, site.world.customer)
    assert (await browser.come_back(*again))[0] == 200


async def test_steam_never_answers(site: SignInSite, monkeypatch: pytest.MonkeyPatch):
    """If Steam does not answer, the user learns it in time."""
    site.impatient(0.3)
    started, browser = await site.begin(), site.browser()
    site.steam.check_faults.append(faults.hang)

    status, _ = await browser.come_back(*await site.at_steam(browser, started, site.world.customer))

    assert status == 503
    assert await site.link_of() is None


async def test_browser_gone(site: SignInSite):
    """A sign-in is finished even if the browser disconnects."""
    started, browser = await site.begin(), site.browser()
    gate = faults.Gate()
    site.steam.check_faults.append(gate)
    return_to, given = await site.at_steam(browser, started, site.world.customer)
    waiting = asyncio.create_task(browser.come_back(return_to, given))
    await gate.reached.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.open()
    await site.settled()

    assert await site.link_of() is not None


async def test_too_many_at_once(site: SignInSite, monkeypatch: pytest.MonkeyPatch):
    """Calls to Steam are limited; the next user is asked to try again."""
    monkeypatch.setattr(sign_in, "CALLS_AT_ONCE", 1)
    gate = faults.Gate()
    site.steam.check_faults.append(gate)
    first, second = site.browser(), site.browser()
    mias = await site.at_steam(first, await site.begin(), site.world.customer)
    alexs = await site.at_steam(second, await site.begin(ALEX), site.world.other_customer)
    waiting = asyncio.create_task(first.come_back(*mias))
    await gate.reached.wait()

    assert (await second.come_back(*alexs))[0] == 503
    assert site.asked_steam == 1
    gate.open()
    assert (await waiting)[0] == 200
    assert (await second.come_back(*alexs))[0] == 200


async def test_one_callback_many_times_at_once(site: SignInSite):
    """A callback that arrives many times at once links once and asks Steam once."""
    started, browser = await site.begin(), site.browser()
    return_to, given = await site.at_steam(browser, started, site.world.customer)

    answers = await asyncio.gather(*(browser.come_back(return_to, given) for _ in range(12)))

    # Who comes during the call shares its end; later the address is used up.
    assert {200} <= {status for status, _ in answers} <= {200, 410}
    assert site.asked_steam == 1
    await site.settled()
    assert len(site.linked) == 1
    assert len(await site.repositories.audit.newest(GUILD, limit=50)) == 1


async def test_stopping(site: SignInSite):
    """A shutdown waits for sign-ins for a moment, then answers them and refuses new ones."""
    started, browser = await site.begin(), site.browser()
    gate = faults.Gate()
    site.steam.check_faults.append(gate)
    return_to, given = await site.at_steam(browser, started, site.world.customer)
    waiting = asyncio.create_task(browser.come_back(return_to, given))
    await gate.reached.wait()

    await site.service.close(within=0.05)

    status, text = await waiting
    assert (status, "restarting" in text) == (503, True)
    assert (await browser.come_back(return_to, given))[0] == 503
    assert await site.link_of() is None


async def test_database_gone(site: SignInSite, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """While the database's file is gone, each request says so, links nothing, and leaves no traceback."""
    started, browser = await site.begin(), site.browser()
    return_to, given = await site.at_steam(browser, started, site.world.customer)
    [database] = tmp_path.glob("*.db")
    away = database.rename(tmp_path / "away")

    returned = await browser.come_back(return_to, given)
    opened = await browser.ask("GET", started.address.reveal())
    away.rename(database)

    assert [(status, "cannot use its database" in text) for status, text, *_ in (returned, opened)] == [(503, True)] * 2
    assert site.linked == []
    assert "Traceback" not in caplog.text


async def test_discord_fails(site: SignInSite, caplog: pytest.LogCaptureFixture):
    """If the notification on Discord fails, the link stays."""

    async def fails(_: object) -> None:
        raise RuntimeError

    started, browser = await site.begin(tell=fails), site.browser()

    assert (await browser.come_back(*await site.at_steam(browser, started, site.world.customer)))[0] == 200
    await site.settled()
    assert await site.link_of() is not None
    assert "sign-in not announced" in caplog.text


async def test_purge(site: SignInSite):
    """Expired sign-ins are removed, names too."""
    await site.begin()
    site.clock.advance(minutes=10)

    await site.service.purge()

    assert site.service._begun == {}
