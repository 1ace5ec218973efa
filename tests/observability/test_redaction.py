"""Redaction masks secrets in any text, and leaves prose as it is."""

import ast
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
import cogs
from bot.observability import redaction
from bot.observability.redaction import MASK, redact, register_secret

CANARY = "CANARY_x"
TRADE_URL = f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={CANARY}"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3NjU2MTE5ODAifQ.c2lnbmF0dXJlLWNhbmFyeQ"
BOT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.GabcdE.CANARY_x-abcdefghijklmnopqrstuvwxyz"
AROUND = st.text() | st.lists(
    st.sampled_from([*"=:'\"`\\,&;%> \n", "token", "code", "b'", "%3D", "&#61;", "Bearer ", "Authorization", "13"])
).map("".join)
"""Any text, and text made of the parts that redaction searches for."""
REGISTERED = 'pass"word\\/+é&=1'


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_registered", ())


@pytest.mark.parametrize(
    "text",
    [
        TRADE_URL,
        f"<{TRADE_URL}>",
        quote(TRADE_URL, safe=""),
        quote(quote(TRADE_URL, safe=""), safe=""),
        json.dumps({"tradeUrl": TRADE_URL}),
        json.dumps({"body": json.dumps({"token": CANARY})}),
        json.dumps({"a": json.dumps({"b": json.dumps({"trade_token": CANARY})})}),
        TRADE_URL.replace("=", "&#61;"),
        TRADE_URL.replace("=", "\\u003d"),
        TRADE_URL.replace("=", "\uff1d"),
        TRADE_URL.replace("token", "to\u200bken"),
        TRADE_URL.replace("token", "%74oken"),
        f"token %3D {CANARY}",
        f"{{'trade_token': '{CANARY}'}}",
        f"[('token', '{CANARY}')]",
        f"Authorization: Bearer {CANARY}",
        f"{{'Authorization': 'Bot {CANARY}'}}",
        f"(b'authorization', b'Bearer {CANARY}')",
        f"{{'apiKey': '{CANARY}'}}",
        f"X-CLIENT-SECRET: {CANARY}",
        f"client_secret='{CANARY} {CANARY}'",
        f'{{"content":{{"jwt":"{CANARY}"}}}}',
        f"shopid=1&sign={CANARY}",
        f"code={CANARY}",
        f'"code": "{CANARY}"',
        f"tradeCode={CANARY}",
        f"[('code', '{CANARY}')]",
        f"POST https://discord.com/api/v10/webhooks/1/{CANARY}/messages/@original",
        f"key ap_{CANARY}",
        f"logged in with {BOT_TOKEN}",
    ],
)
def test_secret(text: str) -> None:
    """Text that is named or shaped like a secret is masked in every encoding."""
    masked = redact(text)

    assert "CANARY" not in masked
    assert MASK in masked


@pytest.mark.parametrize("text", [f"got {JWT}", f"[{JWT}]", JWT.replace("eyJhbGci", "ew0KICJh"), JWT[:-30]])
def test_jwt(text: str) -> None:
    """A JWT is masked, even a part of one."""
    assert "zdWIiOiI3" not in redact(text)
    assert "c2lnbmF0" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "provider refused provider=assetpay code=13 key=INVALID_TRADEURL status=400 request=8c1f",
        'error {"error":{"code":1102,"key":"INVALID_TOKEN"}} status_code: 401 code=-7',
        "exit code==75 Discord error code: 50013",
        "AK-47 | Redline (Field-Tested) for 76561198000000000 at 10.75 USD",
        "/usr/lib/python3.11/site-packages/discord/app_commands/tree.py line 12",
        "https://api.assetpay.gg/secure/inventory?game=730&page=1&limit=50",
        "100% of résumés 🎉 &amp; %20 \\u0041",
        "resend decided id=41 verdict=approve by=123456789012345678 tokens=3 design=new barcode=x",
        "",
    ],
)
def test_no_secret(text: str) -> None:
    """A line without a secret is unchanged."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Discord refused discord.token: copy it again from the application's Bot page",
        "discord.token (SKINDESK_DISCORD__TOKEN): Input should not be empty",
        "providers.skinsback.client_secret: Input should be set together with client_id",
        "401 Unauthorized, authorization: the header is missing; api_key: not set; password: required.",
        "the token: isn't valid (secret: can't be read), Authorization: Bearer is expected, exit code: not known",
        '{"message": "jwt: signature verification failed", "error": "token: expired!"}',
    ],
)
def test_prose(text: str) -> None:
    """A sentence after the name of a secret and a colon is no secret."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "value",
    # Words that are no beginning of a sentence, words with more behind them, and words in quotes or without a space.
    ["horse", "Swordfish", "correct-horse", "abcdefgh", "not-x", "not_x", "not.x", "not=x", "notx", "it'sx", 'no"tx',
     "'not'", '"not"', "`not`", "Bearer horse", "Token horse", "token: horse"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["token: ", "the password: ", "client_secret : ", "'api_key': ", "trade code: "])
def test_no_prose(before: str, value: str) -> None:
    """A value after a colon that is no sentence is masked as a whole, however short and plain it is."""
    words = {"horse", "fish", "abc", "x", "not"} & {*re.findall("horse|fish|abc|x|not", value.lower())}

    assert [word for word in words if word in redact(f"refused {before}{value} for 7").lower()] == []


@pytest.mark.parametrize("text", ["token=not", "token:not", "token => not", "'token': not", "{'token': 'not'}"])
def test_prose_after_a_colon_only(text: str) -> None:
    """A sentence follows a colon and a space: behind all other signs stands a value."""
    assert "not" not in redact(text)


def test_our_own_prose() -> None:
    """No text in the source is masked for a colon in it."""
    texts = [
        node.value
        for file in [*Path(bot.__path__[0]).rglob("*.py"), *Path(cogs.__path__[0]).rglob("*.py")]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(": [A-Za-z]", node.value)
    ]

    assert len(texts) > 100
    assert [text for text in texts if redact(text).count(MASK) > text.count("=")] == []


@given(AROUND, AROUND)
def test_anywhere(before: str, after: str) -> None:
    """A trade token is masked in any surrounding text."""
    assert CANARY not in redact(f"{before}token={CANARY} {after}")


@pytest.mark.parametrize(
    "form",
    [REGISTERED, quote(REGISTERED), quote_plus(REGISTERED), json.dumps(REGISTERED), repr(REGISTERED)],
)
def test_registered(form: str) -> None:
    """A registered secret is masked by its value, in every spelling."""
    register_secret(REGISTERED)

    assert redact(f"x{form}x").strip('x"').strip("'") == MASK


def test_registered_too_short() -> None:
    """A value that is part of almost any line is not masked."""
    register_secret("")
    register_secret("a")

    assert redact("a cat") == "a cat"


@pytest.mark.parametrize(
    "text",
    ["token" * 200_000, 'token="' + "\\" * 1_000_000, "eyJ" * 300_000, "a." * 500_000, "%25" * 300_000,
     "token" + " " * 1_000_000, "&#" + "1" * 100_000 + ";"],
    ids=range(7),
)  # fmt: skip
def test_long(text: str) -> None:
    """The time for a hostile megabyte is linear: the test ends."""
    assert isinstance(redact(text), str)
