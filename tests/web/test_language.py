"""The pages are in the browser's language, by its Accept-Language header."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages import LANGUAGES
from bot.web.accept_language import best_of
from tests.support.made_up import MadeUpLanguage, added, made_up
from tests.support.readers import mark
from tests.support.sign_in_site import SignInSite, assert_headers
from tests.web.test_requests import NOWHERE, raw

# Discord has no Esperanto (eo) and no Interlingua (ia), so SkinDesk never will.
HEADERS = {
    "": "en",
    "*": "en",
    "en": "en",
    "en-GB,en;q=0.9,de;q=0.8": "en",
    "de": "de",
    "de-AT": "de",
    "DE-at": "de",
    "es-419": "es",
    "es-MX,es;q=0.9,en;q=0.5": "es",
    "pt": "pt-BR",
    "pt-BR": "pt-BR",
    "pt-PT": "pt-PT",
    "pt-pt,pt;q=0.9": "pt-PT",
    "pt-AO": "pt-PT",
    "zh": "zh-CN",
    "zh-CN": "zh-CN",
    "zh-Hans": "zh-CN",
    "zh-Hans-SG": "zh-CN",
    "zh-Hant": "en",
    "zh-TW": "en",
    "zh-HK,de;q=0.1": "de",
    "eo": "en",
    "eo, ia;q=0.9, tr;q=0.1": "tr",
    "eo-CH, eo;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5": "en",
    "de;q=0.5, ru;q=0.8": "ru",
    "de;q=0.8, ru;q=0.8": "de",
    "de;q=0.8, ru": "ru",
    "de;q=0": "en",
    "de;q=0.000, vi;q=0.001": "vi",
    " de \t;\tq=0.3 ,": "de",
    "pl ;Q=1.000": "pl",
}


@pytest.mark.parametrize(("header", "code"), HEADERS.items(), ids=[each or "none" for each in HEADERS])
def test_wanted(header: str, code: str) -> None:
    """The language that is wanted most of those there are; English if there is none of them."""
    assert best_of(header).code == code


MALFORMED = [
    *(
        "de;q=2",
        "de;q=1.001",
        "de;q=-1",
        "de;q=",
        "de;q=nan",
        "de;q=0.1234",
        "de;q=\u0660",
        "de;level=1",
        "de q=1",
        "q=1",
    ),
    *(
        "de-",
        "-de",
        "de_DE",
        "d\u0435",
        "\uff44\uff45",
        "deutschland",
        "de\x00",
        "de\udcff",
        "de;q=1;q=1",
        "../de",
        "<de>",
        ";" * 500,
    ),
    *("," * 999, "de" * 400, "de," * 400, "de-" * 300, "x" * 100_000),
]


@pytest.mark.parametrize("header", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed(header: str) -> None:
    """A malformed wish does not count, and of a header that is too long none does."""
    assert best_of(header).code == "en"
    if len(header) < 900:
        assert best_of(f"{header},tr;q=0.1").code == "tr"


@given(st.text(alphabet="dezhptBRr-,;q=01. *\t\x00é", max_size=60) | st.text(max_size=200))
def test_anything(header: str) -> None:
    """Any header has a language."""
    assert best_of(header) in LANGUAGES.values()


@pytest.fixture
def in_made_up() -> Iterator[dict[str, str]]:
    with added(MadeUpLanguage()) as language:
        yield {"Accept-Language": f"eo, {language.code};q=0.9, de;q=0.2"}


def words_of(page: str) -> set[str]:
    """Return the English words on a page, without what is written alike in every language."""
    text = re.sub(r"(?s)<style>.*?</style>|<code>.*?</code>|<bdi>.*?</bdi>|<[^>]*>", " ", page)
    known = {"Steam", "SteamID", "SkinDesk", "Discord", "Valve", "UTC"}
    return set(re.findall(r"\b[A-Za-z]{4,}\b", text)) - known


async def test_whole_way(site: SignInSite, in_made_up: dict[str, str]) -> None:
    """All pages of a sign-in are in the browser's language, and say so."""
    started, browser = await site.begin(), site.browser()
    browser.session.headers.update(in_made_up)
    pages = [await browser.ask("GET", started.address.reveal())]
    return_to, given_back = await site.at_steam(browser, started, site.world.customer)
    pages.append(await browser.ask("GET", return_to, params=dict(given_back)))
    pages.append(await browser.ask("GET", started.address.reveal()))
    pages.append(await browser.ask("PUT", started.address.reveal()))
    pages.append(await browser.ask("GET", f"{site.local_url}/elsewhere"))

    assert [status for status, _, _ in pages] == [200, 200, 410, 405, 404]
    for _, text, headers in pages:
        assert (headers["Content-Language"], headers["Vary"]) == ("en-XA", "Accept-Language")
        assert '<html lang="en-XA">' in text
        assert f"<footer>{made_up('SkinDesk is not affiliated with Valve or Discord.')}</footer>" in text
        assert words_of(text) == set()
    assert f"<h1>{made_up('Link your Steam account')}</h1>" in pages[0][1]


async def test_each_browser_has_its_own(site: SignInSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests on one connection, as a proxy sends them, may be of several browsers."""
    mark(monkeypatch, "de", "zh-CN")
    browser, address = site.browser(), f"{site.local_url}/elsewhere"
    found = []
    for wanted in ("de", "zh-Hans-CN,en;q=0.1", "", "de-CH", "x" * 2_000):
        _, text, headers = await browser.ask("GET", address, headers={"Accept-Language": wanted})
        found.append((headers["Content-Language"], text.partition("<h1>")[2].partition("</h1>")[0]))

    english = ("en", "There is nothing here")
    german, chinese = ("de", "de: There is nothing here"), ("zh-CN", "zh-CN: There is nothing here")
    assert found == [german, chinese, english, german, english]


async def test_errors_of_the_server(site: SignInSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server answers itself is in the browser's language too, or in English if it cannot read the request."""
    mark(monkeypatch, "de")
    wish = "Accept-Language: de\r\n"
    found = {}
    for what, request in {
        "another host": f"GET / HTTP/1.1\r\nHost: evil.example\r\n{wish}\r\n",
        "not read": f"GET / HTTP/9.9\r\nHost: x\r\n{wish}\r\n",
    }.items():
        status, headers, text = await raw(site, request.encode())
        assert_headers(headers)
        assert headers["Vary"] == "Accept-Language"
        found[what] = (status, headers["Content-Language"], text.partition("<title>")[2].partition(" · ")[0])

    async def fails(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(site.service, "find", fails)
    address = f"{site.local_url}/link/{NOWHERE}"
    status, text, answered = await site.browser().ask("GET", address, headers={"Accept-Language": "de"})
    found["failed"] = (status, answered["Content-Language"], text.partition("<title>")[2].partition(" · ")[0])

    assert found == {
        "another host": (421, "de", "de: This is not SkinDesk’s address"),
        "not read": (400, "en", "SkinDesk cannot read this request"),
        "failed": (500, "de", "de: Something went wrong in SkinDesk"),
    }


async def test_hostile_headers(site: SignInSite) -> None:
    """A hostile wish is neither shown nor an error."""
    hostile = ("<script>", "de;q=1\x01", "*" * 8_000, "de\xff", "en-XA<", "de," * 2_000)
    for header in hostile:
        request = f"GET /x HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nAccept-Language: {header}\r\n\r\n"
        status, headers, text = await raw(site, request.encode("latin-1"))
        assert (status in (400, 404), headers["Content-Language"]) == (True, "en"), header
        assert "<script>" not in text
