"""Requests of scanners, proxies and other sites; every answer has the security headers."""

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.web.page import Page
from tests.support.sign_in_site import SignInSite, assert_headers, open_site, token_of

NOWHERE = "A" * 43
DIGEST = "0" * 64


async def raw(site: SignInSite, request: bytes) -> tuple[int, dict[str, str], str]:
    """Send raw bytes; return status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request)
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers["Content-Length"])) if not request.startswith(b"HEAD") else b""
    writer.close()
    await writer.wait_closed()
    return int(first.split()[1]), headers, body.decode()


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/favicon.ico", "/link", "/link/short", f"/link/{NOWHERE}/", f"/link/{NOWHERE}x"),
        *(f"/LINK/{NOWHERE}", f"/link/%41{NOWHERE[1:]}", f"/link//{NOWHERE}", f"/x/../link/{NOWHERE}"),
        *("/link/return/", "/link/return/x", f"/link/return/{DIGEST}/", f"/link/return/{DIGEST.replace('0', 'A')}"),
        *(f"/link/{NOWHERE};x=1", "/../../etc/passwd"),
    ],
)
async def test_elsewhere(site: SignInSite, path: str):
    """Any other address is not found."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()
    status, headers, text = await raw(site, request)

    assert (status, "There is nothing here" in text) == (404, True)
    assert_headers(headers)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
async def test_methods(site: SignInSite, method: str):
    """Other methods are refused and change nothing."""
    address = (await site.begin()).address.reveal()
    status, _, headers = await site.browser().ask(method, address)

    assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")
    assert (await site.browser().ask("GET", address))[0] == 200


@pytest.mark.parametrize("method", ["HEAD", "POST"])
async def test_methods_of_the_return(site: SignInSite, method: str):
    """Only the redirect back from Steam links: no preview, and no form."""
    started, browser = await site.begin(), site.browser()
    return_to, given = await site.at_steam(browser, started, site.world.customer)

    status, _, headers = await browser.ask(method, return_to, params=dict(given))

    assert (status, headers["Allow"]) == (405, "GET")
    assert await site.link_of() is None
    assert (await browser.come_back(return_to, given))[0] == 200


@pytest.mark.parametrize(("method", "expected"), [("GET", 410), ("POST", 403)])
async def test_unknown_token(site: SignInSite, method: str, expected: int):
    """An address that was never issued looks like a used one."""
    status, _, _ = await site.browser().ask(method, f"{site.local_url}/link/{NOWHERE}", data={"proof": NOWHERE})

    assert status == expected


FORMS = {
    "no proof": ({}, {}),
    "no cookie": ({"proof": NOWHERE}, {}),
    "another proof": ({"proof": NOWHERE}, {"Cookie": f"skindesk_page={NOWHERE[1:]}B"}),
    "empty ones": ({"proof": ""}, {"Cookie": "skindesk_page="}),
    "from another site": ({"proof": NOWHERE}, {"Cookie": f"skindesk_page={NOWHERE}", "Sec-Fetch-Site": "cross-site"}),
    "from a neighbour": ({"proof": NOWHERE}, {"Cookie": f"skindesk_page={NOWHERE}", "Sec-Fetch-Site": "same-site"}),
    "from nowhere": ({"proof": NOWHERE}, {"Cookie": f"skindesk_page={NOWHERE}", "Sec-Fetch-Site": "none"}),
}  # fmt: skip


@pytest.mark.parametrize(("form", "headers"), FORMS.values(), ids=FORMS)
async def test_button_of_another_page(site: SignInSite, form: dict[str, str], headers: dict[str, str]):
    """A form on another site cannot skip the page with the warning."""
    address = (await site.begin()).address.reveal()

    status, text, answered = await site.browser().ask("POST", address, data=form, headers=headers)

    assert (status, "Nothing was done" in text) == (403, True)
    assert "Location" not in answered
    assert "Set-Cookie" not in answered


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"proof=" + b"x" * 2000, "application/x-www-form-urlencoded", 413),
        (b"proof=x", "text/plain", 400),
        (b'{"proof": "x"}', "application/json", 400),
        (b"proof=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=%d" % n for n in range(100)), "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_bodies(site: SignInSite, body: bytes, content_type: str, expected: int):
    """Any body but our small form is refused."""
    address = (await site.begin()).address.reveal()
    status, _, _ = await site.browser().ask("POST", address, data=body, headers={"Content-Type": content_type})

    assert status == expected


async def test_body_without_an_end(site: SignInSite):
    """A body without a length is read no further than the size of a form."""
    path = urlsplit((await site.begin()).address.reveal()).path
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    status, headers, _ = await raw(site, head.encode() + b"800\r\n" + b"x" * 2048 + b"\r\n")

    assert status == 413
    assert_headers(headers)


@pytest.mark.parametrize(
    "request_line",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /link/SECRET HTTP/9.9\r\n\r\n",
        b"GET /link/" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /link/SECRET HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /link/SECRET HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(200)) + b"\r\n",
        b"GET /link/SECRET HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /link/SECRET HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /link/SECRET HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
    ids=range(9),
)
async def test_no_request(site: SignInSite, request_line: bytes, caplog: pytest.LogCaptureFixture):
    """Malformed requests are refused and quoted neither on the page nor in the log."""
    status, headers, text = await raw(site, request_line)

    assert status in (400, 421)
    assert_headers(headers)
    assert "SECRET" not in text + caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.example"])
async def test_other_hosts(site: SignInSite, host: str):
    """Requests for another host are refused, which prevents DNS rebinding."""
    path = urlsplit((await site.begin()).address.reveal()).path
    status, headers, text = await raw(site, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    assert (status, "Mia" in text) == (421, False)
    assert_headers(headers)


@pytest.mark.parametrize("query", ["openid.mode=%ff", "&".join(f"a{n}=1" for n in range(100))])
async def test_unreadable_query(site: SignInSite, query: str):
    """A query that is not UTF-8, or has too many parameters, is refused."""
    assert (await site.browser().ask("GET", f"{site.local_url}/link/return/{DIGEST}?{query}"))[0] in (400, 403)


async def test_fault_of_our_own(site: SignInSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """An unexpected exception is a page and a log record, without the address."""
    started = await site.begin()

    async def fails(_: object) -> Page:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(site.service, "find", fails)

    status, text, _ = await site.browser().ask("GET", started.address.reveal())

    assert (status, "on purpose" in text) == (500, False)
    assert "request failed" in caplog.text


async def test_behind_a_proxy(tmp_path: Path):
    """Behind an https proxy cookies are Secure, HttpOnly and limited to a path, and HSTS is on."""
    async with open_site(tmp_path, public_url="https://desk.example.com/skindesk") as site:
        started = await site.begin()
        assert started.address.reveal() == f"https://desk.example.com/skindesk/link/{token_of(started)}"
        host = {"Host": "desk.example.com"}
        address = f"{site.local_url}/skindesk/link/{token_of(started)}"

        status, text, headers = await site.browser().ask("GET", address, headers=host)

        assert status == 200
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        found = re.fullmatch(
            r"(__Secure-skindesk_page=([\w-]{43})); Path=/skindesk/link; Max-Age=600; "
            r"HttpOnly; SameSite=Strict; Secure",
            headers["Set-Cookie"],
        )
        assert found is not None
        assert f'action="/skindesk/link/{token_of(started)}"' in text

        status, _, headers = await site.browser().ask(
            "POST", address, headers={**host, "Cookie": found[1]}, data={"proof": found[2]}
        )

        assert status == 303
        return_to = site.return_to(headers["Location"])
        assert return_to.startswith("https://desk.example.com/skindesk/link/return/")
        assert token_of(started) not in headers["Location"]
        assert headers["Set-Cookie"] == (
            f"__Secure-skindesk_sign_in={token_of(started)}; Path={urlsplit(return_to).path}; Max-Age=600; HttpOnly; "
            "SameSite=Lax; Secure"
        )
        for path in (f"/link/{token_of(started)}", "/skindesk", "/skindesklink/x"):
            assert (await site.browser().ask("GET", f"{site.local_url}{path}", headers=host))[0] == 404
        # A proxy that puts the inner address in the Host header reaches it as well.
        assert (await site.browser().ask("GET", address))[0] == 200
