"""Callbacks that must link no one: forged, altered, replayed, late, or of another user."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from bot.domain.sign_in import NONCE_AHEAD, NONCE_WITHIN
from tests.support.sign_in_site import ALEX, GUILD, Parameters, SignInSite, token_of

Change = Callable[[SignInSite, dict[str, str]], Parameters]


def put(names: str, value: str | Callable[[SignInSite, str], str]) -> Change:
    """Give parameters another value; a function gets the site and the former value."""

    def change(site: SignInSite, given: dict[str, str]) -> Parameters:
        keys = [f"openid.{name}" for name in names.split()]
        made = value if isinstance(value, str) else value(site, given.get(keys[0], ""))
        return list({**given, **dict.fromkeys(keys, made)}.items())

    return change


def signed_again(names: str, value: str | Callable[[SignInSite, str], str]) -> Change:
    """Give parameters another value and a valid signature, which Steam would confirm."""

    def change(site: SignInSite, given: dict[str, str]) -> Parameters:
        fields = {key.removeprefix("openid."): each for key, each in put(names, value)(site, given)}
        fields["sig"] = site.steam._signature(fields)
        return [(f"openid.{key}", each) for key, each in fields.items()]

    return change


def without(name: str) -> Change:
    return lambda _, given: [(key, value) for key, value in given.items() if key != f"openid.{name}"]


def repeated(name: str, value: str | None = None) -> Change:
    """Repeat a parameter, with another value or the same."""
    return lambda _, given: [*given.items(), (name, given[name] if value is None else value)]


def nonce_at(offset: timedelta) -> Callable[[SignInSite, str], str]:
    return lambda site, _: f"{site.clock.now() + offset:%Y-%m-%dT%H:%M:%SZ}abc"


def unsigned(*names: str) -> Change:
    """Leave fields out of the signature, which is valid otherwise."""
    return signed_again("signed", lambda _, listed: ",".join(n for n in listed.split(",") if n not in names))


def claiming(digits: str) -> Change:
    """Claim another account, with a valid signature."""
    return signed_again("claimed_id identity", lambda site, _: f"{site.steam.url}/openid/id/{digits}")


ACCOUNT = 76561202255225733
EVIL = "https://steamcommunity.com.evil.example"
SECOND = timedelta(seconds=1)

REFUSED_HERE: dict[str, Change] = {
    "nothing": lambda _site, _given: [],
    "no ns": without("ns"),
    "OpenID 1.1": put("ns", "http://openid.net/signon/1.1"),
    "no mode": without("mode"),
    "a request's mode": put("mode", "checkid_setup"),
    "an error": put("mode", "error"),
    "another endpoint": signed_again("op_endpoint", f"{EVIL}/openid/login"),
    "endpoint with a slash": signed_again("op_endpoint", lambda _, was: f"{was}/"),
    "account on another host": signed_again("claimed_id", f"{EVIL}/openid/id/{ACCOUNT}"),
    "account over https": signed_again("claimed_id", lambda _, was: was.replace("http://", "https://")),
    "account behind a path": signed_again("claimed_id", lambda _, was: was.replace("/openid/id/", "/x/openid/id/")),
    "18 digits": claiming("765611979602657280"),
    "no digits": claiming("mia"),
    "nobody": claiming("76561197960265728"),
    "a group": claiming("10358279142952141"),
    "an escape": claiming("%37656120225522573"),
    "a fragment": claiming(f"{ACCOUNT}#"),
    "account of another": signed_again("identity", lambda site, _: f"{site.steam.url}/openid/id/{ACCOUNT}"),
    "no identity": without("identity"),
    "two accounts": repeated("openid.claimed_id", f"http://127.0.0.1/openid/id/{ACCOUNT}"),
    "mode twice": repeated("openid.mode"),
    "signature twice": repeated("openid.sig", "x"),
    "return to another host": signed_again("return_to", f"{EVIL}/link/return/{'0' * 64}"),
    "return to another sign-in": signed_again("return_to", lambda _, was: f"{was[:-64]}{'0' * 64}"),
    "old nonce": signed_again("response_nonce", nonce_at(-NONCE_WITHIN - SECOND)),
    "nonce of tomorrow": signed_again("response_nonce", nonce_at(NONCE_AHEAD + SECOND)),
    "nonce without a time": signed_again("response_nonce", "abcdefgh"),
    "nonce with a line break": signed_again("response_nonce", lambda _, was: f"{was}\nis_valid:true"),
    "no nonce": without("response_nonce"),
    "nothing signed": put("signed", ""),
    "account not signed": unsigned("claimed_id"),
    "endpoint not signed": unsigned("op_endpoint"),
    "signed twice": signed_again("signed", lambda _, listed: f"{listed},claimed_id"),
    "something Steam never sends": repeated("openid.invalidate_handle", "1234567890"),
    "a name in capitals": repeated("OPENID.mode", "id_res"),
    "far too long": put("sig", "x" * 4000),
}  # fmt: skip

REFUSED_BY_STEAM: dict[str, Change] = {
    "another account": put("claimed_id identity", lambda site, _: f"{site.steam.url}/openid/id/{ACCOUNT}"),
    "altered signature": put("sig", lambda _, was: f"A{was[1:]}" if was[0] != "A" else f"B{was[1:]}"),
    "altered nonce": put("response_nonce", lambda _, was: f"{was}x"),
    "another order of what is signed": put("signed", lambda _, listed: ",".join(reversed(listed.split(",")))),
}  # fmt: skip


async def refused(site: SignInSite, change: Change, *, status: int = 400) -> str:
    """Return from Steam with a changed answer; return the page. No one is linked."""
    started = await site.begin()
    browser = site.browser()
    return_to, given = await site.at_steam(browser, started, site.world.customer)

    got, text = await browser.come_back(return_to, change(site, dict(given)))

    assert got == status
    assert await site.link_of() is None
    assert site.linked == []
    return text


@pytest.mark.parametrize("change", REFUSED_HERE.values(), ids=REFUSED_HERE)
async def test_refused_without_asking_steam(site: SignInSite, change: Change):
    """Obvious forgeries are refused without asking Steam."""
    assert "Nothing was linked" in await refused(site, change)
    assert site.asked_steam == 0


@pytest.mark.parametrize("change", REFUSED_BY_STEAM.values(), ids=REFUSED_BY_STEAM)
async def test_refused_by_steam(site: SignInSite, change: Change):
    """Other changes are refused because Steam does not confirm them."""
    assert "not_confirmed" in await refused(site, change)
    assert site.asked_steam == 1


async def test_replayed(site: SignInSite):
    """A callback works once; Steam is not asked again, and the link stays."""
    started, browser = await site.begin(), site.browser()
    return_to, given = await site.at_steam(browser, started, site.world.customer)
    assert (await browser.come_back(return_to, given))[0] == 200
    link = await site.link_of()
    site.steam._answered.clear()

    status, text, _ = await site.browser().ask(
        "GET",
        f"{return_to}?{urlencode(list(given))}",
        headers={"Cookie": f"skindesk_sign_in={token_of(started)}"},
    )

    assert (status, "can no longer be used" in text) == (410, True)
    assert site.asked_steam == 1
    assert await site.link_of() == link


async def test_nonce_again(site: SignInSite):
    """A nonce works once, even if Steam confirms it twice."""
    first, second = await site.begin(), await site.begin(ALEX)
    browser = site.browser()
    return_to, given = await site.at_steam(browser, first, site.world.customer)
    assert (await browser.come_back(return_to, given))[0] == 200
    site.steam._answered.clear()

    elsewhere, _ = await site.at_steam(browser, second, site.world.other_customer)
    nonce = dict(given)["openid.response_nonce"]
    other = site.steam.assertion(site.world.other_customer.steam_id, return_to=elsewhere)
    status, text = await browser.come_back(elsewhere, signed_again("response_nonce", nonce)(site, other))

    assert (status, "can no longer be used" in text) == (410, True)
    assert site.asked_steam == 2
    assert await site.link_of(ALEX) is None


@pytest.mark.parametrize("kept", [None, "another's", "nonsense", "a digest"])
async def test_another_browser(site: SignInSite, kept: str | None):
    """A victim who gets Steam's address from an attacker is warned and not linked, whatever cookie they have."""
    started, other = await site.begin(), await site.begin(ALEX)
    return_to, given = await site.at_steam(site.browser(), started, site.world.customer)
    cookies = {"another's": token_of(other), "nonsense": "x" * 43, "a digest": return_to[-64:]}
    headers = {} if kept is None else {"Cookie": f"skindesk_sign_in={cookies[kept]}"}

    status, text, _ = await site.browser().ask("GET", f"{return_to}?{urlencode(list(given))}", headers=headers)

    assert (status, "Not started in this browser" in text) == (403, True)
    assert site.asked_steam == 0
    assert await site.link_of() is None


async def test_too_late(site: SignInSite):
    """A sign-in ends after ten minutes, even if Steam's answer is fresh."""
    started, browser = await site.begin(), site.browser()
    return_to = site.return_to(await browser.press(started))
    site.clock.advance(minutes=10)
    given = list(site.steam.assertion(site.world.customer.steam_id, return_to=return_to).items())

    assert (await browser.come_back(return_to, given))[0] == 410
    assert (await browser.ask("GET", started.address.reveal()))[0] == 410
    assert site.asked_steam == 0
    assert await site.link_of() is None


async def test_begun_again(site: SignInSite):
    """A new address ends the one before, even for a user who is at Steam already."""
    browser = site.browser()
    return_to, given = await site.at_steam(browser, await site.begin(), site.world.customer)
    await site.begin()
    elsewhere = await site.begin(guild_id=GUILD + 1)

    assert (await browser.come_back(return_to, given))[0] == 410
    assert site.asked_steam == 0
    assert await site.link_of() is None
    assert (await browser.ask("GET", elsewhere.address.reveal()))[0] == 200
